"""Where the documented fields are in this layout. Nothing says when a user was changed: that is when the user came."""

from django.contrib.auth.models import User
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from expressions import choice, whether
from rest_framework.authtoken.models import Token

from .models import Profile

permission = ("auth", "view_user")
last_seen = F("profile__seen_at")
shown = User.objects.all()


def tokens():
    return Token.objects.all()


fields = {
    "username": F("username"),
    "mobile_number": F("profile__phone_number"),
    "email": F("email"),
    "is_email_verified": Coalesce("profile__email_confirmed", False),
    "avatar": F("profile__picture"),
    "first_name": F("first_name"),
    "last_name": F("last_name"),
    "gender": choice("profile__gender", {"m": "male", "f": "female", "x": "other"}),
    "invited_by": F("profile__referred_by_id"),
    "invite_code": F("profile__referral_code"),
    "is_active": F("is_active"),
    "is_staff": F("is_staff"),
    "is_admin": F("is_superuser"),
    "is_customer": whether(Q(is_staff=False) & Q(is_superuser=False)),
    "is_profile_completed": Coalesce("profile__completed", False),
    "last_login": F("last_login"),
    "created_at": F("date_joined"),
    "updated_at": F("date_joined"),
}


def write(
    mobile_number=None,
    is_email_verified=False,
    avatar=None,
    gender=None,
    invited_by_id=None,
    invite_code=None,
    is_profile_completed=False,
    last_seen_at=None,
    **person,
):
    """Saves a person given by documented names; returns the user."""
    user = User.objects.create(
        id=person.get("id"),
        username=person["username"],
        email=person.get("email") or "",
        first_name=person.get("first_name") or "",
        last_name=person.get("last_name") or "",
        is_active=person.get("is_active", True),
        is_staff=person.get("is_staff", False),
        is_superuser=person.get("is_admin", False),
        last_login=person.get("last_login"),
        date_joined=person["created_at"],
    )
    profile = dict(
        phone_number=mobile_number,
        email_confirmed=is_email_verified,
        picture=avatar or "",
        gender={"male": "m", "female": "f", "other": "x"}.get(gender, ""),
        referred_by_id=invited_by_id,
        referral_code=invite_code,
        completed=is_profile_completed,
        seen_at=last_seen_at,
    )
    if any(profile.values()):
        Profile.objects.create(user=user, **profile)
    return user


def issue(user, key):
    Token.objects.create(user=user, key=key)


def find_token(key):
    return Token.objects.filter(key=key).first()
