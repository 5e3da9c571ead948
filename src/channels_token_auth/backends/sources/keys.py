"""Turn a claim's text into the value of a column, such as a user's primary key.

A database or a field's type may accept many texts for one key: Django reads "１", " 1", "0_1" and
"+1" as 1. Issuers may hand these out to different users, so only the canonical text counts.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, ForeignKey, IntegerField

__all__ = ["column_of", "read_key"]


def column_of(field: Any) -> Any:
    """Return the field with the type of the column: of the parent's key, where a key refers to it.

    A user model that inherits from another one with a table has such a key.
    """
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field


def read_key(field: "Field[Any, Any]", claim: Any) -> Any:
    """Return the field's value if the claim is its canonical text, or its number; else None."""
    if isinstance(claim, bool) or not isinstance(claim, str | int):
        return None
    text = str(claim)
    # "" would be the user whose field is empty; no database takes NUL or lone surrogates.
    if not text or not text.isprintable():
        return None
    column = column_of(field)
    try:
        value = column.to_python(claim)
        if isinstance(column, IntegerField):
            column.run_validators(value)  # of the database's range
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None
    return value if str(value) == text else None
