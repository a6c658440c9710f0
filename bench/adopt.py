"""What Django's ORM writes while `bench/adopt.ts` measures. Run by tests/django/driver.py, which gives the models; `total` users, every 50th of staff, and a `seat`,
0 or 1, of one of two processes: they write different staff."""

import os
import time
from contextlib import nullcontext
from statistics import median

staff = list(User.objects.filter(is_staff=True, pk__gt=1).order_by("pk").values_list("pk", flat=True)[seat:4000:2])
start = int(time.time() * 1000) % 900_000


def customer(number):
    return 2 + (start + number * 50) % (total // 50) * 50


def one_staff(number):
    return staff[(start + number) % len(staff)]


def sign_in_customer(number):
    update_last_login(None, User(pk=customer(number)))


def sign_in_staff(number):
    update_last_login(None, User(pk=one_staff(number)))


def save_staff(number):
    User(pk=one_staff(number), first_name=f"n{start + number}").save(update_fields=["first_name", "updated_at"])


def exchange_token(number):
    Token.objects.filter(user_id=one_staff(number)).delete()
    Token.objects.create(user_id=one_staff(number), key=f"{os.getpid()}-{start}-{number}")


def create_many(is_staff):
    def create(number):
        name = f"many-{start}-{number}"
        User.objects.bulk_create([User(username=f"{name}-{each}", is_staff=is_staff) for each in range(5000)])

    return create


def update_many(is_staff):
    def update(number):
        keys = list(User.objects.filter(is_staff=is_staff).order_by("pk").values_list("pk", flat=True)[:5000])
        User.objects.filter(pk__in=keys).update(last_name=str(number))

    return update


def by_new_connection(write):
    """As with Django's default, which opens one for each request."""

    def write_anew(number):
        connection.close()
        write(number)

    return write_anew


writes = {
    "a customer's sign-in": (300, sign_in_customer),
    "a sign-in of staff": (300, sign_in_staff),
    "a member of staff saved": (300, save_staff),
    "a customer's sign-in, by a new connection": (100, by_new_connection(sign_in_customer)),
    "a sign-in of staff, by a new connection": (100, by_new_connection(sign_in_staff)),
    "a token exchanged": (100, exchange_token),
    "5,000 customers created": (1, create_many(False)),
    "5,000 of staff created": (1, create_many(True)),
    "5,000 customers updated": (1, update_many(False)),
    "5,000 of staff updated": (1, update_many(True)),
}


def clock(write, number):
    began = time.perf_counter()
    write(number)
    return (time.perf_counter() - began) * 1000


def time_writes():
    """Medians in ms, by what is written. What is written by the thousand is undone."""
    times = {}
    for name, (count, write) in writes.items():
        with transaction.atomic() if count == 1 else nullcontext():
            times[name] = median(clock(write, number) for number in range(count))
            if count == 1:
                transaction.set_rollback(True)
    return times


mixture = {
    "read": lambda number: list(User.objects.filter(pk__in=[customer(number), one_staff(number)])),
    "customer": sign_in_customer,
    "staff": save_staff,
    "new": lambda number: User.objects.create(username=f"new-{os.getpid()}-{start}-{number}"),
    "groups": lambda number: User.objects.get(pk=one_staff(number)).groups.set([1 + number % 4]),
    "token": exchange_token,
}


def write_until(stop):
    """The longest in ms, by kind, of some hundred writes a second, until there is the file `stop`."""
    longest = dict.fromkeys(mixture, 0)
    began = time.perf_counter()
    number = 0
    while not os.path.exists(stop):
        for name, write in mixture.items():
            number += 1
            longest[name] = max(longest[name], clock(write, number))
            time.sleep(max(0, began + number / 100 - time.perf_counter()))
    return longest
