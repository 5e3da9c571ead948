"""Read the entries of the setting `BACKENDS`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .problem import WrongValueError
from .readers import REQUIRED, Fields, or_none, read_boolean, read_entry, read_list, text

__all__ = ["BackendSpec", "read_backends"]

_A_LIST = 'must be a list of {"BACKEND": "dotted.path", "OPTIONS": {…}}, and not an empty one.'


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """One entry of `BACKENDS`. Its options may hold keys, so they stay out of the repr.

    `scopes`: the dotted path of the function that returns the scopes of its tokens; None: the
    tokens' own. `delegated` replaces the backend's `is_delegated`, unless it is None.
    """

    path: str
    options: Mapping[str, Any] = field(repr=False)
    scopes: str | None = None
    delegated: bool | None = None
    place: int = field(default=0, compare=False)
    """Its number in `BACKENDS`, for messages about it."""


def read_backends(value: Any) -> tuple[BackendSpec, ...]:
    # The value is not shown: it may hold keys and passwords.
    if not isinstance(value, list | tuple) or not value:
        raise WrongValueError(_A_LIST)
    entries = read_list(value, _read_fields, _A_LIST)
    return tuple(_spec(read, place) for place, read in enumerate(entries))


def _read_fields(entry: Any) -> dict[str, Any]:
    return read_entry(entry, _FIELDS)


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
