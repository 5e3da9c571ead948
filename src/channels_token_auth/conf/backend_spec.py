"""Read the entries of the setting `BACKENDS`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .problem import WrongValueError
from .readers import REQUIRED, Fields, or_none, read_boolean, read_entry, read_list, text

__all__ = ["BackendSpec", "read_backends"]

_EXAMPLE = '{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}'
_DOTTED_PATH = re.compile(r"\w+(\.\w+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """One entry of `BACKENDS`. Its options may hold keys, so the repr omits them.

    `scopes`: the dotted path of the function that returns the scopes of its tokens; None: the
    tokens' own. `delegated` replaces the backend's `is_delegated`, unless it is None.
    """

    path: str
    options: Mapping[str, Any] = field(repr=False)
    scopes: str | None = None
    delegated: bool | None = None
    place: int = field(default=0, compare=False)
    """Its index in `BACKENDS`, for messages about it."""


def read_backends(value: Any) -> tuple[BackendSpec, ...]:
    # The value is not shown: it may hold keys and passwords.
    if isinstance(value, str):
        raise WrongValueError(f"is a text: it must be a list, such as [{_entry(value)}].")
    if isinstance(value, Mapping):
        raise WrongValueError(f"is a dictionary: put it into a list, such as [{_EXAMPLE}].")
    if not isinstance(value, list | tuple):
        raise WrongValueError(f"must be a list, such as [{_EXAMPLE}].")
    if not value:
        raise WrongValueError(f"is missing or empty: name a backend, such as [{_EXAMPLE}].")
    entries = read_list(value, _read_fields, "a list")
    return tuple(_spec(read, place) for place, read in enumerate(entries))


def _read_fields(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        raise WrongValueError(f"is a text: it must be a dictionary, such as {_entry(entry)}.")
    return read_entry(entry, _FIELDS)


def _entry(text: str) -> str:
    """Return the entry that was probably meant: with this dotted path, or else an example."""
    # Any other text may be a key in the wrong place: it is not repeated.
    return f'{{"BACKEND": "{text}"}}' if _DOTTED_PATH.fullmatch(text) else _EXAMPLE


def _spec(read: Mapping[str, Any], place: int) -> BackendSpec:
    return BackendSpec(
        place=place,
        path=read["BACKEND"],
        options=read["OPTIONS"],
        scopes=read["SCOPES"],
        delegated=read["DELEGATED"],
    )


def _read_options(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise WrongValueError("must be a dictionary of the backend's arguments.")
    return value


_A_PATH = "a dotted path"
_FIELDS: Fields = {
    "BACKEND": (REQUIRED, text(_A_PATH)),
    "OPTIONS": ({}, _read_options),
    "SCOPES": (None, or_none(text(_A_PATH))),
    "DELEGATED": (None, or_none(read_boolean)),
}
