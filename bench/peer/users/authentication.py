import hashlib

from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from .models import GroupPermission, Token, UserPermission

USER_PERMISSION = 1222


class HashedTokenAuthentication(TokenAuthentication):
    """REST framework's own, but that the table holds the key's SHA-256 and a time at which it expires."""

    model = Token

    def authenticate_credentials(self, key):
        token_hash = hashlib.sha256(key.encode()).digest()
        try:
            token = Token.objects.select_related("user").get(token_hash=token_hash)
        except Token.DoesNotExist:
            raise AuthenticationFailed("Invalid token.")
        if token.expires_at and token.expires_at <= timezone.now():
            raise AuthenticationFailed("Invalid token.")
        if not token.user.is_active:
            raise AuthenticationFailed("User inactive or deleted.")
        return token.user, token


class MayListUsers(BasePermission):
    """Admins, and staff who hold the permission themselves or through a group."""

    def has_permission(self, request, view):
        user = request.user
        if not user.is_authenticated:
            return False
        if user.is_admin:
            return True
        if not user.is_staff:
            return False
        return (
            UserPermission.objects.filter(
                user=user, permission_code=USER_PERMISSION
            ).exists()
            or GroupPermission.objects.filter(
                group__users=user, permission_code=USER_PERMISSION
            ).exists()
        )
