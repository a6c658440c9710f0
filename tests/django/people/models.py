"""Django's own user, and what the project adds to it in a table beside; whoever comes by createsuperuser has no profile."""

from django.contrib.auth.models import User
from django.db import models


class Profile(models.Model):
    user = models.OneToOneField(User, models.CASCADE, related_name="profile")
    phone_number = models.CharField(max_length=20, unique=True, null=True, blank=True)
    email_confirmed = models.BooleanField(default=False)
    picture = models.FileField(upload_to="avatars", blank=True)
    gender = models.CharField(max_length=10, blank=True)
    referred_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="referrals"
    )
    referral_code = models.CharField(max_length=12, unique=True, null=True, blank=True)
    completed = models.BooleanField(default=False)
    seen_at = models.DateTimeField(null=True, blank=True)
