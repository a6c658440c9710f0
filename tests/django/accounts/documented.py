"""Where the documented fields are in this layout."""

from django.db.models import F
from expressions import choice
from rest_framework.authtoken.models import Token

from .models import User

permission = ("accounts", "view_user")
genders = {"M": "male", "F": "female", "O": "other"}
last_seen = F("last_seen")
shown = User.objects.all()


def tokens():
    return Token.objects.all()


fields = {
    "username": F("username"),
    "mobile_number": F("phone"),
    "email": F("email"),
    "is_email_verified": F("is_email_verified"),
    "avatar": F("avatar"),
    "first_name": F("first_name"),
    "last_name": F("last_name"),
    "gender": choice("gender", genders),
    "invited_by": F("invited_by_id"),
    "invite_code": F("invite_code"),
    "is_active": F("is_active"),
    "is_staff": F("is_staff"),
    "is_admin": F("is_superuser"),
    "is_customer": F("is_customer"),
    "is_profile_completed": F("is_profile_completed"),
    "last_login": F("last_login"),
    "created_at": F("date_joined"),
    "updated_at": F("updated_at"),
}


def write(updated_at, **person):
    """Saves a person given by documented names; returns the user."""
    names = {
        "mobile_number": "phone",
        "is_admin": "is_superuser",
        "created_at": "date_joined",
        "last_seen_at": "last_seen",
    }
    codes = {gender: code for code, gender in genders.items()}
    person["gender"] = codes.get(person.get("gender"))
    # Columns that AbstractUser has not null.
    for name in ("email", "first_name", "last_name"):
        person[name] = person.get(name) or ""
    user = User.objects.create(**{names.get(name, name): value for name, value in person.items()})
    # Saving has set it to the present.
    User.objects.filter(pk=user.pk).update(updated_at=updated_at)
    return user


def issue(user, key):
    Token.objects.create(user=user, key=key)


def find_token(key):
    return Token.objects.filter(key=key).first()
