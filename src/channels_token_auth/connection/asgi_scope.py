"""The scope: the application's copy, without the credential; and the server's own, cleaned."""

from typing import Any

from ..core.asgi_types import Scope
from ..core.handshake.extraction import Handshake

__all__ = ["anonymous_user", "inner_scope", "scrub"]


def inner_scope(scope: Scope, handshake: Handshake, *, user: Any, auth: Any) -> Scope:
    """A copy of the scope with the identity in it, and without the credential."""
    return {
        **scope,
        "headers": handshake.headers,
        "query_string": handshake.query_string,
        "subprotocols": handshake.subprotocols,
        "user": user,
        "auth": auth,
    }


def anonymous_user() -> Any:
    """Django's own."""
    # Its module holds models: this one must be importable before they are.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    return AnonymousUser()


def scrub(scope: Scope, handshake: Handshake) -> None:
    """Take the credential out of the server's own scope, and of shallow copies of it."""
    if isinstance(scope["headers"], list):
        scope["headers"][:] = handshake.headers
    scope["headers"] = handshake.headers
    scope["query_string"] = handshake.query_string
    scope["subprotocols"] = handshake.subprotocols
