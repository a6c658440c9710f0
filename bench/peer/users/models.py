"""The tables as they are: made by the migrations of the API that this project stands beside."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Group(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.TextField(unique=True)

    class Meta:
        managed = False
        db_table = "groups"
        ordering = ["id"]


class User(AbstractBaseUser):
    id = models.BigAutoField(primary_key=True)
    password = None
    username = models.TextField(unique=True)
    mobile_number = models.TextField(unique=True, null=True)
    email = models.TextField(unique=True, null=True)
    is_email_verified = models.BooleanField(default=False)
    avatar = models.FileField(null=True)
    first_name = models.TextField(null=True)
    last_name = models.TextField(null=True)
    gender = models.TextField(null=True)
    invited_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="invitees"
    )
    invite_code = models.TextField(unique=True, null=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_admin = models.BooleanField(default=False)
    is_customer = models.BooleanField(default=True)
    is_profile_completed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    groups = models.ManyToManyField(Group, db_table="user_groups", related_name="users")

    USERNAME_FIELD = "username"

    class Meta:
        managed = False
        db_table = "users"

    @property
    def full_name(self):
        name = f"{self.first_name or ''} {self.last_name or ''}".strip()
        return name or None


class Presence(models.Model):
    user = models.OneToOneField(User, models.CASCADE, primary_key=True)
    last_seen_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "user_presence"


class Token(models.Model):
    token_hash = models.BinaryField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "auth_tokens"


# Django has no keys of two columns: the first stands in for both, which reading does not mind.


class UserPermission(models.Model):
    user = models.OneToOneField(User, models.CASCADE, primary_key=True)
    permission_code = models.IntegerField()

    class Meta:
        managed = False
        db_table = "user_permissions"


class GroupPermission(models.Model):
    group = models.OneToOneField(Group, models.CASCADE, primary_key=True)
    permission_code = models.IntegerField()

    class Meta:
        managed = False
        db_table = "group_permissions"
