"""Turn a claim's text into the value of a column, such as a user's primary key.

A database or a field's type may accept many texts for one key: Django reads "１", " 1", "0_1" and
"+1" as 1. Issuers may hand these out to different users, so only the canonical text counts.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field, ForeignKey, IntegerField

__all__ = ["converted", "is_storable", "read_key"]


def converted(field: Any, value: Any) -> Any:
    """Return the value in the type of the field's column; None if no row can have it."""
    # A user model that inherits from another one with a table has a key that refers to it.
    while isinstance(field, ForeignKey):
        field = field.target_field
    try:
        found = field.to_python(value)
        if isinstance(field, IntegerField) and not _fits(field, found):
            return None
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None
    return None if isinstance(found, str) and not is_storable(found) else found


def _fits(field: Any, number: int) -> bool:
    """Return whether the number is in the database's range for the column.

    Not by the field's validators: the site's own ones may be newer than the row.
    """
    low, high = connection.ops.integer_field_range(field.get_internal_type())
    return (low is None or low <= number) and (high is None or number <= high)


def is_storable(text: str) -> bool:
    """Return whether a database can hold the text: none takes NUL or lone surrogates."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def read_key(field: "Field[Any, Any]", claim: Any) -> Any:
    """Return the field's value if the claim is its canonical text, or its number; else None."""
    if isinstance(claim, bool) or not isinstance(claim, str | int):
        return None
    text = str(claim)
    # "" would be the user whose field is empty.
    if not text or not text.isprintable():
        return None
    value = converted(field, claim)
    return value if str(value) == text else None
