"""Turn a claim's text into the value of a column, such as a user's primary key.

A database or a field's type may accept many texts for one key: Django reads "１", " 1", "0_1" and
"+1" as 1. Issuers may hand these out to different users, so only the canonical text counts.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, ForeignKey, IntegerField

__all__ = ["converted", "is_storable", "read_key"]


def converted(field: Any, value: Any) -> Any:
    """Return the value in the type of the field's column; None if no row can have it."""
    # A user model that inherits from another one with a table has a key that refers to it.
    while isinstance(field, ForeignKey):
        field = field.target_field
    try:
        found = field.to_python(value)
        if isinstance(field, IntegerField):
            field.run_validators(found)  # of the database's range
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None
    return None if isinstance(found, str) and not is_storable(found) else found


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
