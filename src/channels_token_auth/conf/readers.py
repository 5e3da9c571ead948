"""Read values of settings. Each reader returns a value of one type, or raises WrongValueError."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from ..core.credentials import Secret
from ..core.handshake.extraction import TICKET_NAME
from .problem import WrongValueError, must_be, unknown_key

__all__ = [
    "REQUIRED",
    "Fields",
    "list_of",
    "one_of",
    "or_none",
    "read_boolean",
    "read_cookie_name",
    "read_entry",
    "read_list",
    "read_not_negative",
    "read_positive",
    "read_query_name",
    "read_secret",
    "read_whole",
    "read_whole_positive",
    "text",
]

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[Any], T]
Fields = Mapping[str, tuple[Any, Reader[Any]]]
"""The keys of a dictionary, each with its default and its reader."""

REQUIRED: Any = object()
"""The default of a key that must be given."""

SHORTEST_SECRET = 16
"""Characters that a secret in the settings has at least: a shorter one could be guessed."""

# Fewer characters than a cookie's name may have (RFC 6265, section 4.1.1): those that need no
# escape in a query either (RFC 3986, section 2.3).
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_A_NAME = "a name of letters, digits, '-', '.' and '_'"


def read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise must_be(value, "True or False")
    return value


def read_positive(value: Any) -> float:
    # The comparison excludes NaN, too. No timer can wait for an infinite time.
    if not _is_number(value) or not 0 < value < math.inf:
        raise must_be(value, "a number over 0")
    number: float = value
    return number


def read_not_negative(value: Any) -> float:
    if not _is_number(value) or not 0 <= value < math.inf:
        raise must_be(value, "0 or a positive number")
    number: float = value
    return number


def read_whole(value: Any) -> int:
    # In Python, True is an integer: as a number in the settings, it is a mistake.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise must_be(value, "0 or a positive whole number")
    return value


def read_whole_positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise must_be(value, "a whole number over 0")
    return value


def read_cookie_name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise must_be(value, _A_NAME)
    return value


def read_query_name(value: Any) -> str:
    if value == TICKET_NAME:
        raise must_be(value, f"{_A_NAME}, other than the one that tickets have")
    return read_cookie_name(value)


def read_secret(value: Any) -> Secret:
    # The value is not shown, because it is a secret, even if it is too short.
    # ASCII, since clients send it in an Authorization header (RFC 6750, section 2.1).
    if not isinstance(value, str) or not value.isascii() or len(value) < SHORTEST_SECRET:
        raise WrongValueError(f"must be an ASCII text of at least {SHORTEST_SECRET} characters.")
    return Secret(value)


def text(what: str) -> Reader[str]:
    """Return a reader of texts that are not empty."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise must_be(value, what)
        return value

    return read


def one_of(kind: type[E]) -> Reader[E]:
    """Return a reader of an enum's values."""
    # A list and not a set: a wrong value may be one that has no hash, such as a list.
    known = [each.value for each in kind]

    def read(value: Any) -> E:
        if value not in known:
            raise must_be(value, f"one of {', '.join(known)}", known)
        return kind(value)

    return read


def or_none(read: Reader[T]) -> Reader[T | None]:
    """Return a reader that also accepts None."""

    def read_or_none(value: Any) -> T | None:
        try:
            return None if value is None else read(value)
        except WrongValueError as error:
            # The message must mention None, too.
            sentence = error.sentence.replace("it must be ", "it must be None or ", 1)
            raise WrongValueError(sentence, error.path, error.others) from None

    return read_or_none


def list_of(read: Reader[T], what: str) -> Reader[list[T]]:
    """Return a reader of lists that are not empty."""

    def read_entries(value: Any) -> list[T]:
        entries = read_list(value, read, what)
        if not entries:
            raise must_be(value, f"{what} that is not empty")
        return entries

    return read_entries


def read_list(value: Any, read: Reader[T], what: str) -> list[T]:
    """Read each entry of a list. An error has the index of its entry, and the other errors."""
    # A text and a dictionary are iterable, too: a text would be read as a list of letters.
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise must_be(value, what)
    entries, errors = [], []
    for number, entry in enumerate(value):
        try:
            entries.append(read(entry))
        except WrongValueError as error:
            errors.append(error.below(number))
    if errors:
        raise WrongValueError.of(errors)
    return entries


def read_entry(value: Any, fields: Fields) -> dict[str, Any]:
    """Read a dictionary with these keys. A missing key has its default."""
    # The value is not shown, since an entry may hold a key or a password.
    if not isinstance(value, Mapping):
        raise WrongValueError(f"must be a dictionary with some of the keys {', '.join(fields)}.")
    errors = [unknown_key(key, fields).below(str(key)) for key in value if key not in fields]
    entry = {}
    for key, (default, read) in fields.items():
        try:
            entry[key] = _read_field(value.get(key, default), read)
        except WrongValueError as error:
            errors.append(error.below(key))
    if errors:
        raise WrongValueError.of(errors)
    return entry


def _read_field(value: Any, read: Reader[Any]) -> Any:
    if value is REQUIRED:
        raise WrongValueError("is missing.")
    return read(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
