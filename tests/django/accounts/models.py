"""A user model of the project's own, as Django's documentation advises: AbstractUser and what the project adds."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    phone = models.CharField(max_length=20, unique=True, null=True, blank=True)
    is_email_verified = models.BooleanField(default=False)
    avatar = models.FileField(upload_to="avatars", null=True, blank=True)
    gender = models.CharField(
        max_length=1,
        choices=[("M", "Male"), ("F", "Female"), ("O", "Other")],
        null=True,
        blank=True,
    )
    invited_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="invitees"
    )
    invite_code = models.CharField(max_length=12, unique=True, null=True, blank=True)
    is_customer = models.BooleanField(default=True)
    is_profile_completed = models.BooleanField(default=False)
    last_seen = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
