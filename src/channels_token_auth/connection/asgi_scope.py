"""The scope: the application's copy, with the user and without the credential; and the server's."""

from contextlib import suppress
from typing import Any

from ..core.asgi_types import Scope
from ..core.handshake.extraction import Handshake

__all__ = ["anonymous_user", "clean", "inner_scope"]


def inner_scope(scope: Scope, handshake: Handshake, *, user: Any, auth: Any) -> Scope:
    """Return a copy of the scope with the identity in it, and without the credential."""
    inner = {
        **scope,
        "headers": handshake.headers,
        "query_string": handshake.query_string,
        "subprotocols": handshake.subprotocols,
        "user": user,
        "auth": auth,
    }
    if handshake.cookie_name and "cookies" in inner:  # Channels' CookieMiddleware is outside
        parsed = inner["cookies"].items()
        inner["cookies"] = {k: v for k, v in parsed if k != handshake.cookie_name}
    return inner


def anonymous_user() -> Any:
    """Return Django's own."""
    # Its module holds models: this one must be importable before they are.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    return AnonymousUser()


def clean(scope: Scope, handshake: Handshake) -> None:
    """Take the credential out of the server's own scope.

    Middleware around this one may read the scope when the socket ends, as error reporters do. What
    it shares with us is changed: the scope, and in place its list of headers and its cookies, which
    shallow copies of the scope share too. A scope that cannot be changed stays as it is.
    """
    if not handshake.is_cleaned:
        return
    headers = scope.get("headers")
    if isinstance(headers, list):
        headers[:] = handshake.headers
    else:
        _replace(scope, "headers", handshake.headers)
    _replace(scope, "query_string", handshake.query_string)
    # A new list: the server's own is what it compares with the subprotocol that is selected.
    _replace(scope, "subprotocols", [*handshake.subprotocols])
    if handshake.cookie_name:
        with suppress(Exception):  # no parsed cookies, or none that can be changed
            scope["cookies"].pop(handshake.cookie_name, None)


def _replace(scope: Scope, key: str, value: Any) -> None:
    if key in scope:
        # No `suppress`: its three calls take longer, and each handshake with a token pays them.
        try:  # noqa: SIM105
            scope[key] = value
        except Exception:  # noqa: BLE001, S110 - a scope that cannot be changed
            pass
