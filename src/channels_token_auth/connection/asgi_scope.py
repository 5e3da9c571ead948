"""Build the application's scope, with the user; and remove the credential from the server's."""

from contextlib import suppress
from typing import Any

from ..core.asgi_types import Scope
from ..core.credentials import Location
from ..core.handshake.extraction import Handshake, extract_everywhere
from ..core.handshake.origin import OriginRule
from ..core.handshake.policy import Policy
from ..core.handshake.scope import read_headers, read_query, read_subprotocols

__all__ = ["anonymous_user", "clean", "inner_scope", "read_everywhere"]


def inner_scope(scope: Scope, handshake: Handshake, *, user: Any, auth: Any) -> Scope:
    """Return a copy of the scope with the identity in it, and without the credential."""
    inner = {**scope, "user": user, "auth": auth}
    # `clean` has changed the server's scope, so mostly its values can be shared: another list of
    # headers would cost a tenth of a kilobyte for each socket.
    if inner.get("headers") != handshake.headers:
        inner["headers"] = handshake.headers
    if inner.get("query_string") != handshake.query_string:
        inner["query_string"] = handshake.query_string
    if inner.get("subprotocols") != handshake.subprotocols:
        inner["subprotocols"] = handshake.subprotocols
    # Channels' CookieMiddleware, if it is outside, has parsed the cookies already.
    if handshake.cookie_name and "cookies" in inner:
        parsed = inner["cookies"].items()
        inner["cookies"] = {k: v for k, v in parsed if k != handshake.cookie_name}
    return inner


def anonymous_user() -> Any:
    """Return Django's `AnonymousUser`."""
    # Its module defines models, which cannot be imported before Django's app registry is ready.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    return AnonymousUser()


def clean(scope: Scope, handshake: Handshake) -> None:
    """Remove the credential from the server's own scope.

    Outer middleware, such as an error reporter, may read the scope when the socket ends. So the
    scope itself is changed. Its list of headers and its cookies are changed in place, because
    shallow copies of the scope share them. A scope that cannot be changed stays as it is.
    """
    if not handshake.is_cleaned:
        return
    headers = scope.get("headers")
    if isinstance(headers, list):
        headers[:] = handshake.headers
    else:
        _replace(scope, "headers", handshake.headers)
    if scope.get("query_string") != handshake.query_string:
        _replace(scope, "query_string", handshake.query_string)
    # A new list: some servers compare the selected subprotocol with their own list.
    if scope.get("subprotocols") != handshake.subprotocols:
        _replace(scope, "subprotocols", [*handshake.subprotocols])
    if handshake.cookie_name:
        with suppress(Exception):  # no parsed cookies, or none that can be changed
            scope["cookies"].pop(handshake.cookie_name, None)


def read_everywhere(
    scope: Scope, *, query_name: str = "token", cookie_name: str = "token"
) -> Handshake:
    """Return a handshake that no route can read, without all that may be a token in it.

    Its names may come from settings that are wrong otherwise.
    """
    everywhere = Policy(
        locations=frozenset(Location),
        origins=OriginRule(hosts=(), exact=None),
        query_name=query_name,
        cookie_name=cookie_name,
    )
    return extract_everywhere(
        read_headers(scope), read_query(scope), read_subprotocols(scope), everywhere
    )


def _replace(scope: Scope, key: str, value: Any) -> None:
    if key in scope:
        # `suppress` makes three calls more, for each handshake with a token.
        try:  # noqa: SIM105
            scope[key] = value
        except Exception:  # noqa: BLE001, S110 - a scope that cannot be changed
            pass
