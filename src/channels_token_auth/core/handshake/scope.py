"""The parts of an ASGI scope that hold an opening handshake, however a server wrote them.

The ASGI specification makes most keys optional and asks for iterables only. Servers, outer
middleware and tests differ: keys are missing or None, headers are tuples, generators, or named in
capitals, and subprotocols are one unsplit text (granian before 2.7.2, uvicorn before 0.50.1).
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ..asgi_types import Scope
from .locations.found import Headers

__all__ = ["read_headers", "read_query", "read_subprotocols"]


def read_headers(scope: Scope) -> Headers:
    """Return the headers, with their names in lower case.

    An iterator of headers is replaced by a list in the scope, so that others can read it too.
    """
    given: Headers = scope.get("headers") or ()
    if not isinstance(given, (list, tuple)):
        given = list(given)
        with suppress(TypeError):  # a scope that cannot be changed
            scope["headers"] = given
    # Without a loop over the headers of each handshake: all names are one text in lower case.
    try:
        is_lower = b"".join(dict(given)).islower()
    except (TypeError, ValueError):  # a server that does not keep to the specification
        is_lower = False
    if not is_lower:
        return [(name.lower(), value) for name, value in given]
    # They have the types that ASGI requires. Keep them: copies would cost memory per socket.
    return given


def read_query(scope: Scope) -> bytes:
    """Return the query string, percent-encoded."""
    given = scope.get("query_string") or b""
    return given.encode() if isinstance(given, str) else bytes(given)


def read_subprotocols(scope: Scope) -> list[str]:
    """Return the server's list of offered subprotocols. An entry may be an unsplit line."""
    given: Iterable[Any] | None = scope.get("subprotocols")
    if not given:  # most clients outside of browsers offer none
        return []
    if isinstance(given, str | bytes):
        given = (given,)
    elif not isinstance(given, (list, tuple)):
        given = list(given)
        with suppress(TypeError):
            scope["subprotocols"] = given
    return [each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in given]
