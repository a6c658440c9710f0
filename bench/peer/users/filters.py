from datetime import datetime, time, timezone as tz

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter

from .models import Token, User
from .serializers import ONLINE_WINDOW


def start_of(day):
    return datetime.combine(day, time.min, tz.utc)


def end_of(day):
    return datetime.combine(day, time.max, tz.utc)


class DayFilter(filters.DateFilter):
    """Whole UTC days, as bounds of the column: a cast of the column to a date could use no index."""

    def __init__(self, bound, **kwargs):
        self.bound = bound
        super().__init__(**kwargs)

    def filter(self, queryset, day):
        if day is None:
            return queryset
        if self.bound != "to":
            queryset = queryset.filter(**{f"{self.field_name}__gte": start_of(day)})
        if self.bound != "from":
            queryset = queryset.filter(**{f"{self.field_name}__lte": end_of(day)})
        return queryset


class HasValueFilter(filters.BooleanFilter):
    def filter(self, queryset, has_value):
        if has_value is None:
            return queryset
        blank = Q(**{f"{self.field_name}__isnull": True}) | Q(**{self.field_name: ""})
        return queryset.filter(~blank if has_value else blank)


class IntegerListFilter(filters.BaseInFilter, filters.NumberFilter):
    pass


class UserFilter(filters.FilterSet):
    id_min = filters.NumberFilter(field_name="id", lookup_expr="gte")
    id_max = filters.NumberFilter(field_name="id", lookup_expr="lte")
    created_date = DayFilter("both", field_name="created_at")
    created_from = DayFilter("from", field_name="created_at")
    created_to = DayFilter("to", field_name="created_at")
    updated_date = DayFilter("both", field_name="updated_at")
    updated_from = DayFilter("from", field_name="updated_at")
    updated_to = DayFilter("to", field_name="updated_at")
    last_login_date = DayFilter("both", field_name="last_login")
    last_login_from = DayFilter("from", field_name="last_login")
    last_login_to = DayFilter("to", field_name="last_login")
    has_email = HasValueFilter(field_name="email")
    has_avatar = HasValueFilter(field_name="avatar")
    has_phone = HasValueFilter(field_name="mobile_number")
    has_first_name = HasValueFilter(field_name="first_name")
    has_last_name = HasValueFilter(field_name="last_name")
    has_token = filters.BooleanFilter(method="filter_has_token")
    is_online = filters.BooleanFilter(method="filter_is_online")
    gender = filters.ChoiceFilter(
        choices=[("male", "Male"), ("female", "Female"), ("other", "Other")]
    )
    groups_in = IntegerListFilter(method="filter_groups_in")
    group_id = filters.NumberFilter(field_name="groups")

    class Meta:
        model = User
        fields = ["is_active", "is_staff", "is_admin", "is_customer"]
        fields += ["is_profile_completed"]

    def filter_groups_in(self, queryset, name, group_ids):
        # Not a join, which would list a user of two groups twice and need DISTINCT over all columns.
        memberships = User.groups.through.objects.filter(
            user=OuterRef("pk"), group__in=group_ids
        )
        return queryset.filter(Exists(memberships))

    def filter_has_token(self, queryset, name, has_token):
        unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        holds = Exists(Token.objects.filter(unexpired, user=OuterRef("pk")))
        return queryset.filter(holds if has_token else ~holds)

    def filter_is_online(self, queryset, name, is_online):
        online = Q(presence__last_seen_at__gt=timezone.now() - ONLINE_WINDOW)
        return queryset.filter(online if is_online else ~online)


class NullsLastOrderingFilter(OrderingFilter):
    """Nulls come last in both directions, and the id breaks ties."""

    def filter_queryset(self, request, queryset, view):
        keys = self.get_ordering(request, queryset, view)
        descends = keys[0].startswith("-")
        if keys[0].lstrip("-") not in ("id", "username"):
            keys = [*keys, "-id" if descends else "id"]
        return queryset.order_by(
            *(
                F(key[1:]).desc(nulls_last=key[1:] in NULLABLE)
                if key.startswith("-")
                else F(key).asc()
                for key in keys
            )
        )


NULLABLE = {"email", "gender", "last_login"}
