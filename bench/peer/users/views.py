from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from rest_framework.generics import ListAPIView

from .authentication import MayListUsers
from .filters import UserFilter
from .models import User
from .serializers import UserSerializer

# Not an annotation with Count: that joins and groups all who are listed before the page is cut.
INVITEES = (
    User.objects.filter(invited_by=OuterRef("pk"))
    .order_by()
    .values("invited_by")
    .annotate(total=Count("pk"))
    .values("total")
)


class UserList(ListAPIView):
    queryset = (
        User.objects.filter(Q(is_staff=True) | Q(is_admin=True))
        .annotate(
            invitees_count=Coalesce(Subquery(INVITEES, output_field=IntegerField()), 0)
        )
        .select_related("invited_by", "presence")
        .prefetch_related("groups")
    )
    serializer_class = UserSerializer
    permission_classes = [MayListUsers]
    filterset_class = UserFilter
    search_fields = [
        "id",
        "username",
        "mobile_number",
        "email",
        "first_name",
        "last_name",
    ]
    ordering_fields = [
        "id",
        "username",
        "email",
        "gender",
        "last_login",
        "created_at",
        "updated_at",
    ]
    ordering = ["-id"]
