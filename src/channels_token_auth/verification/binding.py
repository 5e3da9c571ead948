"""Tell whether two routes have the same backend: the same class, built with the same options."""

import json
from collections.abc import Mapping
from typing import Any

from .. import conf
from ..backends.contract import TokenBackend

__all__ = ["bindings", "note_options"]

_BUILT_WITH = "channels_token_auth_built_with"


def note_options(backend: Any, options: Mapping[str, Any]) -> None:
    """Remember what a backend was built with."""
    if hasattr(backend, "__dict__"):  # a class with slots is told apart by its name alone
        # With its name: to leave it out is the same as to give the default.
        vars(backend)[_BUILT_WITH] = _path(backend), _canonical({**options, "name": backend.name})


def bindings(backend: TokenBackend) -> list[str]:
    """Return what stands for the backend in a ticket, by the site's current key first."""
    unnoted = _path(backend), _canonical({"name": backend.name})
    return conf.site_keys().names("backend", *getattr(backend, _BUILT_WITH, unnoted))


def _path(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _canonical(options: Mapping[str, Any]) -> str:
    """Return the options as the same text in every process."""
    try:
        return json.dumps(options, sort_keys=True, default=_plain)
    except TypeError:  # keys of several types cannot be sorted
        return repr(options)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return dict(value)
    # By its name: a repr has an address in it, which differs in each process.
    named = value if hasattr(value, "__qualname__") else type(value)
    return [named.__module__, named.__qualname__]
