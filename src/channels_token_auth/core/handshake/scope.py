"""The parts of an ASGI scope that hold an opening handshake, however a server wrote them.

The ASGI specification makes most keys optional and asks for iterables only. Servers, outer
middleware and tests differ: keys are missing or None, headers are tuples, generators, or named in
capitals, and subprotocols are one unsplit text (granian before 2.7.2, uvicorn before 0.50.1).
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ..asgi_types import Scope
from .found import Header

__all__ = ["read_headers", "read_query", "read_subprotocols"]


def read_headers(scope: Scope) -> list[Header]:
    """Return the headers, with their names in lower case.

    Headers that can be read only once are replaced in the scope, for whoever else wants them.
    """
    given = scope.get("headers") or ()
    if not isinstance(given, list | tuple):
        given = list(given)
        with suppress(TypeError):  # a scope that cannot be changed
            scope["headers"] = given
    # A loop and no generator, which takes twice as long: each handshake pays for each header.
    for name, _ in given:
        if not name.islower():
            return [(name.lower(), value) for name, value in given]
    # As ASGI has them: each socket keeps these very objects instead of copies.
    return [*given]


def read_query(scope: Scope) -> bytes:
    """Return the query string, percent-encoded."""
    given = scope.get("query_string") or b""
    return given.encode() if isinstance(given, str) else bytes(given)


def read_subprotocols(scope: Scope) -> list[str]:
    """Return what the server lists as offered subprotocols. An entry may be unsplit."""
    given: Iterable[Any] = scope.get("subprotocols") or ()
    if isinstance(given, str | bytes):
        given = (given,)
    elif not isinstance(given, list | tuple):
        given = list(given)
        with suppress(TypeError):
            scope["subprotocols"] = given
    return [each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in given]
