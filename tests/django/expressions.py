"""Expressions that the layouts describe their fields with."""

from django.db.models import BooleanField, Case, TextField, Value, When
from django.db.models.functions import Cast

# A bare null may not be sorted by.
nothing = Cast(Value(None), TextField())


def choice(column, values):
    """A code of the project's as the documented value; any other is none."""
    whens = [When(**{column: code}, then=Value(value)) for code, value in values.items()]
    return Case(*whens, default=Value(None), output_field=TextField())


def whether(condition):
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
