"""What an application does to its users: each function one kind of write, and each changes what is listed, but those that are undone."""

from io import StringIO

from accounts.models import User
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Concat
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

# The first is the admin by whose token the list is asked for.
others = User.objects.exclude(pk=1).order_by("-pk")
staff = others.filter(is_staff=True)
customers = others.filter(is_staff=False, is_superuser=False)


def unique(name="zoe"):
    return f"{name}-{timezone.now():%H%M%S%f}"


def a_new_staff_member():
    User.objects.create_user(unique(), "zoe@example.com", is_staff=True, gender="O")


def a_new_customer_whom_somebody_has_invited():
    User.objects.create_user(unique(), invited_by=staff[0])


def many_new_ones_at_once():
    name = unique()
    users = [User(username=f"{name}-{i}", first_name="Zoe", is_staff=i % 3 == 0) for i in range(90)]
    User.objects.bulk_create(users)


def many_new_ones_of_whom_some_are_there():
    users = [User(username=unique(), is_staff=True), *staff[:3]]
    User.objects.bulk_create(users, ignore_conflicts=True)


def rows_copied_in():
    columns = "username,password,email,first_name,last_name,is_staff,is_superuser,is_active"
    columns += ",date_joined,updated_at,is_email_verified,is_customer,is_profile_completed"
    rows = f"{unique()},-,-,Zoe,-,t,f,t,2026-01-01,2026-01-01,t,f,t\n{unique('bob')},-,-,-,-,f,f,t,2026-01-01,2026-01-01,t,f,t\n"
    with connection.cursor() as cursor:
        cursor.copy_expert(f"copy accounts_user ({columns}) from stdin with csv", StringIO(rows))


def a_user_saved():
    user = staff[1]
    user.last_name = unique()
    user.save()


def some_fields_saved():
    user = staff[2]
    user.email = f"{unique()}@example.org"
    user.last_seen = None if user.last_seen else timezone.now()
    user.save(update_fields=["email", "last_seen"])


def a_user_saved_under_lock():
    with transaction.atomic():
        user = staff.select_for_update()[3]
        user.phone = unique("09")[:20]
        user.save()


def all_updated_at_once():
    User.objects.filter(is_staff=True).update(last_name=Value(unique()), updated_at=timezone.now())


def many_updated_by_an_expression():
    customers.update(is_staff=True)
    staff.filter(pk__gt=60).update(first_name=Concat("first_name", Value("Zoe")))


def many_updated_each_otherwise():
    users = list(staff[:20])
    for user in users:
        user.first_name = unique()
        user.gender = {"M": "F", "F": "O"}.get(user.gender, "M")
    User.objects.bulk_update(users, ["first_name", "gender"])


def staff_who_become_customers():
    User.objects.filter(pk__in=staff.filter(is_superuser=False).values("pk")[:5]).update(is_staff=False)


def customers_who_become_staff():
    User.objects.create_user(unique())
    User.objects.filter(pk__in=customers.values("pk")[:5]).update(is_staff=True)


def an_online_customer_who_becomes_staff():
    user = customers.order_by("pk")[0]
    User.objects.filter(pk=user.pk).update(last_seen=timezone.now())
    User.objects.filter(pk=user.pk).update(is_staff=True)


def two_who_exchange_their_phones():
    with transaction.atomic():
        one, two = staff[4:6]
        phones = f"{unique('1')}"[:20], f"{unique('2')}"[:20]
        User.objects.filter(pk=one.pk).update(phone=phones[0])
        User.objects.filter(pk=two.pk).update(phone=phones[1])
        User.objects.filter(pk=one.pk).update(phone=None)
        User.objects.filter(pk=two.pk).update(phone=phones[0])
        User.objects.filter(pk=one.pk).update(phone=phones[1])


def a_name_that_passes_on():
    with transaction.atomic():
        one, two = staff[6:8]
        name = one.username
        User.objects.filter(pk=one.pk).update(username=unique())
        User.objects.filter(pk=two.pk).update(username=name)


def another_id():
    user = User.objects.create_user(unique(), is_staff=True)
    User.objects.filter(pk=user.pk).update(id=F("id") + 1_000_000)


def one_deleted():
    User.objects.create_user(unique(), invited_by=staff[0])
    staff[0].delete()


def many_deleted():
    User.objects.bulk_create([User(username=unique(f"bob{i}"), is_staff=True) for i in range(6)])
    User.objects.filter(pk__in=list(staff.values_list("pk", flat=True)[:4])).delete()


def one_deleted_and_made_again():
    pk = staff[0].pk
    with transaction.atomic():
        User.objects.get(pk=pk).delete()
        User.objects.create(pk=pk, username=unique(), is_staff=True)


def a_staff_member_who_signs_in():
    user = staff.filter(is_active=True)[0]
    Client().force_login(user)


def a_token_for_one_who_has_none():
    user = staff.filter(~Exists(Token.objects.filter(user=OuterRef("pk"))))[0]
    Token.objects.get_or_create(user=user)


def a_token_deleted():
    Token.objects.exclude(user=1).filter(user__is_staff=True).order_by("-user")[0].delete()


def a_token_that_passes_to_another():
    Token.objects.exclude(user=1).filter(user__is_staff=True).order_by("user")[0].delete()
    token = Token.objects.exclude(user=1).filter(user__is_staff=True).order_by("user")[0]
    user = staff.filter(~Exists(Token.objects.filter(user=OuterRef("pk"))))[0]
    Token.objects.filter(pk=token.pk).update(user=user)


def groups_that_are_set():
    user = staff[8]
    user.groups.set([] if user.groups.count() > 2 else Group.objects.all())


def a_group_joined_and_one_left():
    user = staff[9]
    inside = list(user.groups.all()[:1])
    user.groups.add(Group.objects.create(name=unique()))
    user.groups.remove(*inside)


def a_group_that_gets_all_staff():
    # Of its own: a query that is evaluated keeps what it found, and the others share it.
    Group.objects.create(name=unique()).user_set.set(staff.all())


def a_group_renamed():
    Group.objects.filter(name__startswith="Managers").update(name=unique("Managers"))


def a_group_deleted():
    group = Group.objects.create(name=unique())
    group.user_set.set(staff[:5])
    Group.objects.filter(user__in=staff[:5]).exclude(pk__lte=4).order_by("pk")[0].delete()
    staff[0].groups.add(Group.objects.create(name=unique()))


def the_flags_of_one_in_the_admin():
    user = staff.filter(is_superuser=False)[10]
    admin_client().post(f"/admin/accounts/user/{user.pk}/change/", form(user, first_name=unique()))


def the_groups_of_one_in_the_admin():
    user = staff[11]
    groups = [group.pk for group in Group.objects.exclude(user=user)[:3]]
    admin_client().post(f"/admin/accounts/user/{user.pk}/change/", form(user, groups=groups))


def one_deleted_in_the_admin():
    user = User.objects.create_user(unique(), is_staff=True)
    path = f"/admin/accounts/user/{staff[1].pk}/delete/"
    answer = admin_client().post(path, {"post": "yes"})
    assert answer.status_code == 302, answer.content


def several_deleted_in_the_admin():
    User.objects.bulk_create([User(username=unique(f"eve{i}"), is_staff=True) for i in range(4)])
    data = {"action": "delete_selected", "_selected_action": [user.pk for user in staff[:3]], "post": "yes"}
    answer = admin_client().post("/admin/accounts/user/", data)
    assert answer.status_code == 302, answer.content


def a_savepoint_that_is_undone():
    with transaction.atomic():
        User.objects.create_user(unique(), is_staff=True)
        try:
            with transaction.atomic():
                staff.update(last_name="undone")
                User.objects.create_user("user-1")
        except IntegrityError:
            pass
        User.objects.filter(pk=staff[0].pk).update(last_name=unique())


def undone_with_its_transaction():
    try:
        with transaction.atomic():
            staff.update(last_name="undone")
            staff[0].delete()
            Token.objects.all().delete()
            Group.objects.all().delete()
            raise InterruptedError
    except InterruptedError:
        pass


def undone_by_an_error_of_the_database():
    try:
        User.objects.bulk_create([User(username=unique(), is_staff=True), User(username="user-1")])
    except IntegrityError:
        pass


def undone_as_it_is_of_nobody():
    User.objects.filter(pk=-1).update(last_name="nobody")
    User.objects.filter(pk=-1).delete()


def admin_client():
    client = Client()
    client.force_login(User.objects.get(pk=1))
    return client


def form(user, **changes):
    """What the admin's page of a user sends, with changes."""
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    joined = timezone.localtime(user.date_joined)
    return {
        "username": user.username,
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        **flags,
        **changes,
    }
