"""An application at work: short transactions of all kinds, some of them undone. Several processes may run it at once."""

from random import Random

from accounts.models import User
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from rest_framework.authtoken.models import Token


def work(seed, times):
    """Returns how many transactions were undone on purpose; whatever else goes wrong is raised."""
    random = Random(seed)
    own = []
    undone = 0
    for number in range(times):
        try:
            with transaction.atomic():
                change(random, f"{seed}-{number}", own)
                if random.random() < 0.1:
                    raise InterruptedError
        except InterruptedError:
            undone += 1
    return undone


def change(random, name, own):
    """Locks whom it changes, in one order, so that these processes by themselves are never in a deadlock."""
    ids = random.sample(range(2, 200), 4)
    users = list(User.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    kind = random.randrange(8)
    if kind == 0:
        User.objects.create_user(name, is_staff=random.random() < 0.5, invited_by_id=1)
    if kind == 1:
        # Of its own: deleting somebody who has invited others would write rows that it has not locked.
        pk = own.pop() if own else None
        User.objects.filter(pk=pk).delete()
        own.append(User.objects.create(pk=pk, username=name, is_staff=True).pk)
    for user in users[: random.randint(1, 4)]:
        if kind == 2:
            user.groups.set(Group.objects.filter(pk__in=random.sample(range(1, 5), 2)))
        if kind == 3:
            Token.objects.filter(user=user).delete()
            Token.objects.create(user=user, key=f"key-{user.pk}")
        if kind == 4:
            user.is_staff = not user.is_staff
            user.email = f"{name}@example.org"
            user.save()
    changes = {5: {"last_login": timezone.now()}, 6: {"last_name": name}, 7: {"is_active": random.random() < 0.8}}
    if kind in changes:
        User.objects.filter(pk__in=[user.pk for user in users]).update(**changes[kind])
