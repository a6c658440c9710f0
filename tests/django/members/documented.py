"""Where the documented fields are in this layout, and which it does not have."""

from django.db.models import BooleanField, F, Q, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone
from expressions import nothing, whether
from knox.models import AuthToken, to_digest

from .models import Member

permission = ("members", "view_member")
last_seen = nothing
shown = Member.objects.all()


def tokens():
    return AuthToken.objects.filter(Q(expiry=None) | Q(expiry__gt=timezone.now()))


fields = {
    "username": F("email"),
    "mobile_number": Cast("phone", TextField()),
    "email": F("email"),
    "is_email_verified": Value(True, output_field=BooleanField()),
    "avatar": nothing,
    "first_name": F("given_name"),
    "last_name": F("family_name"),
    "gender": nothing,
    "invited_by": F("inviter_id"),
    "invite_code": nothing,
    "is_active": F("is_active"),
    "is_staff": whether(Q(role__in=["admin", "staff"])),
    "is_admin": whether(Q(role="admin")),
    "is_customer": whether(Q(role="customer")),
    "is_profile_completed": Value(False, output_field=BooleanField()),
    "last_login": F("last_login"),
    "created_at": F("created"),
    "updated_at": F("modified"),
}


def write(**person):
    """Saves a person given by documented names; returns the user."""
    number = "".join(filter(str.isascii, filter(str.isdigit, person.get("mobile_number") or "")))
    role = "admin" if person.get("is_admin") else "staff" if person.get("is_staff") else "customer"
    member = Member.objects.create(
        id=person.get("id"),
        email=person["username"] + "@example.com",
        phone=int(number) if number else None,
        given_name=person.get("first_name"),
        family_name=person.get("last_name"),
        role=role,
        is_active=person.get("is_active", True),
        last_login=person.get("last_login"),
        inviter_id=person.get("invited_by_id"),
    )
    Member.objects.filter(pk=member.pk).update(
        created=person["created_at"], modified=person["updated_at"]
    )
    return member


def issue(user, key):
    AuthToken.issue(user, key)


def find_token(key):
    return tokens().filter(digest=to_digest(key)).first()
