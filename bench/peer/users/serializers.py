from datetime import timedelta

from django.utils import timezone
from rest_framework import serializers

from .models import Group, User

ONLINE_WINDOW = timedelta(seconds=300)


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["id", "name"]


class InvitingUserSerializer(serializers.ModelSerializer):
    full_name = serializers.ReadOnlyField()

    class Meta:
        model = User
        fields = ["id", "username", "full_name"]


class UserSerializer(serializers.ModelSerializer):
    full_name = serializers.ReadOnlyField()
    invited_by = InvitingUserSerializer()
    invitees_count = serializers.IntegerField()
    is_online = serializers.SerializerMethodField()
    groups_data = GroupSerializer(source="groups", many=True)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "mobile_number",
            "email",
            "is_email_verified",
            "avatar",
            "first_name",
            "last_name",
            "full_name",
            "gender",
            "invited_by",
            "invite_code",
            "invitees_count",
            "is_active",
            "is_staff",
            "is_admin",
            "is_online",
            "is_profile_completed",
            "last_login",
            "created_at",
            "updated_at",
            "groups_data",
        ]

    def get_is_online(self, user):
        presence = getattr(user, "presence", None)
        return bool(presence) and presence.last_seen_at > timezone.now() - ONLINE_WINDOW
