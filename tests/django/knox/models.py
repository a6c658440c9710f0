"""The table of django-rest-knox, which Debian does not have, and what it does when it issues a token."""

import hashlib

from django.conf import settings
from django.db import models


def to_digest(key):
    return hashlib.sha512(key.encode()).hexdigest()


class AuthToken(models.Model):
    digest = models.CharField(max_length=128, primary_key=True)
    token_key = models.CharField(max_length=15, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="auth_token_set"
    )
    created = models.DateTimeField(auto_now_add=True)
    expiry = models.DateTimeField(null=True, blank=True)

    @classmethod
    def issue(cls, user, key, expiry=None):
        return cls.objects.create(
            digest=to_digest(key), token_key=key[:15], user=user, expiry=expiry
        )
