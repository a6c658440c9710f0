"""Members sign in by e-mail, have a role in place of flags, a numeric phone, and stay in the table when they are deleted. It is called `users`."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class MemberManager(BaseUserManager):
    def get_queryset(self):
        return super().get_queryset().filter(deleted_at=None)


class Member(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    phone = models.BigIntegerField(null=True, blank=True)
    given_name = models.CharField(max_length=60, null=True, blank=True)
    family_name = models.CharField(max_length=60, null=True, blank=True)
    role = models.CharField(max_length=10, default="customer")
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    inviter = models.ForeignKey("self", models.SET_NULL, null=True, blank=True)

    objects = MemberManager()
    everybody = models.Manager()

    USERNAME_FIELD = "email"

    class Meta:
        db_table = "users"

    @property
    def is_staff(self):
        return self.role in ("admin", "staff")
