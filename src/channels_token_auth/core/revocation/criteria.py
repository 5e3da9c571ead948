"""Arguments that select users, tokens and sockets: given, or left out to select all.

A lookup that found nothing returns None. If None meant "all", a caller who passes it on would
revoke or close far more than they meant. So leaving an argument out is the only way to select all.
"""

from datetime import UTC, datetime
from typing import Any

from ..counting.client_address import read_address

__all__ = ["ANY", "given", "named_address", "named_moment", "named_text"]


class _Any:
    """The type of `ANY`."""

    def __repr__(self) -> str:
        return "ANY"

    def __reduce__(self) -> str:
        # Arguments are compared with this one object: a copy, also in another process, is the same.
        return "ANY"


ANY: Any = _Any()
"""The default of an argument that selects: it was left out, and selects all."""


def given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that were given. Raises TypeError for one that is None."""
    for name, value in arguments.items():
        if value is None:
            raise TypeError(f"{name} is None: name one, or leave the argument out to select all.")
    return {name: value for name, value in arguments.items() if value is not ANY}


def named_text(**arguments: Any) -> dict[str, str]:
    """Return the arguments that were given. Raises TypeError for one that is no text, or empty,
    and ValueError for a text that is not Unicode.
    """
    found = given(**arguments)
    for name, value in found.items():
        if not isinstance(value, str) or not value:
            what = "empty" if value == "" else f"a {type(value).__name__}"
            raise TypeError(f"{name} is {what}: give a text, or leave the argument out.")
        # A message to other nodes cannot contain half of a surrogate pair: their layer would fail.
        value.encode()
    return found


def named_moment(**arguments: Any) -> dict[str, datetime]:
    """Return the arguments that were given, in UTC.

    Raises TypeError for a value of another type than datetime, and ValueError for a naive one: read
    in another time zone, it would spare the tokens of hours. Also for one that UTC cannot express.
    """
    found = given(**arguments)
    for name, value in found.items():
        if not isinstance(value, datetime):
            raise TypeError(f"{name} is a {type(value).__name__}: give an aware datetime.")
        if value.utcoffset() is None:
            raise ValueError(f"{name} is {value}, without a time zone: give an aware datetime.")
        try:
            found[name] = value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{name} is {value}, which UTC cannot express.") from None
    return found


def named_address(address: str) -> dict[str, str]:
    """Return the argument if it was given. Raises TypeError as `named_text`, and ValueError for a
    text that is no IP address: no client has another one, so that it would select nothing.
    """
    found = named_text(address=address)
    if found and read_address(address) is None:
        raise ValueError(f"address is {address!r}: it must be an IP address, such as '192.0.2.7'.")
    return found
