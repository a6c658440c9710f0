"""What the documented endpoint answers, asked of Django's ORM. Search is `icontains`, so its terms are to be plain ASCII."""

from datetime import datetime, time, timedelta, timezone as tz
from functools import reduce
from importlib import import_module
from operator import and_, or_

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, F, OuterRef, Q, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone
from django.utils.encoding import filepath_to_uri

layout = import_module(f"{settings.LAYOUT}.documented")

fields = {f"api_{name}": expression for name, expression in layout.fields.items()}
has = {
    "has_email": "email",
    "has_avatar": "avatar",
    "has_phone": "mobile_number",
    "has_first_name": "first_name",
    "has_last_name": "last_name",
}
sought = ["username", "mobile_number", "email", "first_name", "last_name"]
times = {"created": "created_at", "updated": "updated_at", "last_login": "last_login"}
memberships = get_user_model().groups.through
# Django names the column after the model.
member = f"{get_user_model()._meta.model_name}_id"


def described():
    users = layout.shown.annotate(api_seen=layout.last_seen, **fields)
    texts = {f"text_{name}": Cast(f"api_{name}", TextField()) for name in [*has.values(), *sought]}
    return users.annotate(text_id=Cast("id", TextField()), **texts)


def answer(query):
    """`count`, and the page's `results` as the documented JSON, of a query string."""
    given = QueryDict(query)
    users = described().filter(Q(api_is_staff=True) | Q(api_is_admin=True))
    for name, value in given.items():
        if name not in ("limit", "offset", "ordering"):
            users = users.filter(condition(name, value))
    users = users.order_by(*order(given.get("ordering", "-id").split(",")))
    offset = int(given.get("offset", 0))
    page = users.values("id", "api_seen", *fields)[offset : offset + int(given.get("limit", 10))]
    return {"count": users.count(), "results": to_results(list(page))}


def condition(name, value):
    truth = value.lower() in ("true", "1")
    if name == "search":
        terms = value.replace(",", " ").split()
        found = [[Q(**{f"text_{field}__icontains": term}) for field in ["id", *sought]] for term in terms]
        return reduce(and_, [reduce(or_, each) for each in found])
    if name in has:
        filled = Q(**{f"text_{has[name]}__gt": ""})
        return filled if truth else ~filled | Q(**{f"text_{has[name]}__isnull": True})
    if name == "is_online":
        online = Q(api_seen__isnull=False) & Q(api_seen__gt=timezone.now() - timedelta(seconds=300))
        return online if truth else ~online | Q(api_seen__isnull=True)
    if name == "has_token":
        holds = Exists(layout.tokens().filter(user=OuterRef("pk")))
        return Q(holds) if truth else Q(~holds)
    if name in ("groups_in", "group_id"):
        groups = [int(group) for group in value.split(",")]
        return Q(Exists(memberships.objects.filter(**{member: OuterRef("pk"), "group__in": groups})))
    if name == "id_in":
        return Q(id__in=[int(each) for each in value.split(",")])
    if name in ("id_min", "id_max"):
        return Q(**{"id__gte" if name == "id_min" else "id__lte": int(value)})
    if name == "gender":
        return Q(api_gender=value.lower())
    field, _, bound = name.rpartition("_")
    if field in times:
        start = datetime.combine(datetime.strptime(value, "%Y-%m-%d"), time.min, tz.utc)
        since = Q(**{f"api_{times[field]}__gte": start})
        # The end of the last day that Python knows is not after it.
        until = Q(**{f"api_{times[field]}__lte": start + timedelta(days=1, microseconds=-1)})
        return {"date": since & until, "from": since, "to": until}[bound]
    return Q(**{f"api_{name}": truth})


def order(keys):
    """Nulls last in both directions, and the id in the direction of the first key breaks ties."""
    keys = [*keys, "-id" if keys[0].startswith("-") else "id"]
    for key in keys:
        field = key.lstrip("-")
        column = F("id" if field == "id" else f"api_{field}")
        yield column.desc(nulls_last=True) if key.startswith("-") else column.asc(nulls_last=True)


def to_results(page):
    ids = [row["id"] for row in page]
    inviting = [row["api_invited_by"] for row in page]
    inviters = {user["id"]: user for user in described().filter(id__in=inviting).values("id", *fields)}
    counts = described().filter(api_invited_by__in=ids).order_by().values("api_invited_by")
    invitees = {each["api_invited_by"]: each["total"] for each in counts.annotate(total=Count("id"))}
    joined = memberships.objects.filter(**{f"{member}__in": ids}).order_by("group")
    groups = {id: [] for id in ids}
    for user, *group in joined.values_list(member, "group", "group__name"):
        groups[user].append(dict(zip(("id", "name"), group)))
    return [to_result(row, groups[row["id"]], inviters, invitees) for row in page]


def to_result(row, groups, inviters, invitees):
    # Who is a customer can be asked for, and is not shown.
    shown = [name for name in layout.fields if name != "is_customer"]
    result = {"id": row["id"], **{name: row[f"api_{name}"] for name in shown}}
    inviter = inviters.get(row["api_invited_by"])
    seen = row["api_seen"]
    return {
        **result,
        "avatar": to_url(result["avatar"]),
        "full_name": full_name(row),
        "invited_by": inviter
        and {
            "id": inviter["id"],
            "username": inviter["api_username"],
            "full_name": full_name(inviter),
        },
        "invitees_count": invitees.get(row["id"], 0),
        "is_online": seen is not None and seen > timezone.now() - timedelta(seconds=300),
        "groups_data": groups,
        **{name: to_text(result[name]) for name in times.values()},
    }


def to_url(path):
    if not path or "://" in path:
        return path or None
    return settings.MEDIA_URL + filepath_to_uri(path)


def full_name(row):
    return f"{row['api_first_name'] or ''} {row['api_last_name'] or ''}".strip() or None


def to_text(at):
    """As DRF's DateTimeField has it in UTC."""
    return at and at.astimezone(tz.utc).isoformat().replace("+00:00", "Z")


def status_for(key):
    """What whoever sends this key is answered: as DRF's TokenAuthentication and Django's permissions have it."""
    token = layout.find_token(key)
    if token is None:
        return 401
    user = described().filter(pk=token.user_id).first()
    if user is None or not user.api_is_active:
        return 401
    may = user.api_is_admin or (user.api_is_staff and user.has_perm(".".join(layout.permission)))
    return 200 if may else 403
