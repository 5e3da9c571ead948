"""The ASGI face: put it around the application that is to have authenticated sockets only."""

from collections.abc import Sequence
from typing import Any

from . import conf, logs
from .backends.base import Identity
from .connections.asgi import Application, Message, Receive, Scope, Send
from .connections.connection import Connection
from .connections.door import Door
from .core.close_codes import Code
from .core.errors import TokenAuthError
from .core.extraction import Handshake

__all__ = ["TokenAuthMiddleware", "TokenAuthMiddlewareStack"]


class TokenAuthMiddleware:
    """Authenticates every WebSocket by a token before the application inside sees it.

    The application finds `scope["user"]`, a concrete user, and `scope["auth"]`, an
    `Authentication` (None for an anonymous socket). Keyword arguments are the settings'
    names in lower case, and override them here; `query_name` and `cookie_name` too. Other
    kinds of scope pass untouched.
    """

    def __init__(self, application: Application, **overrides: Any) -> None:
        self.application = application
        self._overrides = overrides
        self._settings: conf.Configuration | None = None
        names = (overrides.get("query_name"), overrides.get("cookie_name"))
        logs.install(name for name in names if isinstance(name, str) and name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        door = self._door()
        handshake = door.read(scope)
        try:
            await self._answer(door, handshake, scope, receive, send)
        except BaseException:
            # An error reporter reads the locals of every frame, the server's `scope` among them.
            _scrub(scope, handshake)
            raise

    async def _answer(
        self, door: Door, handshake: Handshake, scope: Scope, receive: Receive, send: Send
    ) -> None:
        connect = await receive()
        if connect["type"] != "websocket.connect":
            return
        try:
            identity = await door.admit(handshake)
        except TokenAuthError as error:
            for message in door.refusal(error, handshake, scope):
                await send(message)
            return

        def refuse(code: Code) -> Sequence[Message]:
            return door.refusal(TokenAuthError(code), handshake, scope)

        inner = _inner_scope(scope, handshake, identity)
        connection = Connection(inner, receive, send, connect=connect, refuse=refuse)
        await connection.run(self.application)

    def _door(self) -> Door:
        """The door of the present settings: a new one when a setting has changed."""
        settings = conf.configuration()
        if self._settings is not settings:
            overridden = conf.override(self._overrides) if self._overrides else settings
            self._built = Door(overridden)
            self._settings = settings
        return self._built


def TokenAuthMiddlewareStack(application: Application, **overrides: Any) -> TokenAuthMiddleware:  # noqa: N802 - named as Channels names its own
    """All that stands between the protocol router and a `URLRouter`: Origin check and token."""
    return TokenAuthMiddleware(application, **overrides)


def _inner_scope(scope: Scope, handshake: Handshake, identity: Identity | None) -> Scope:
    """A copy of the scope with the identity in it, and without the credential."""
    return {
        **scope,
        "headers": handshake.headers,
        "query_string": handshake.query_string,
        "subprotocols": handshake.subprotocols,
        "user": identity.user if identity else _anonymous_user(),
        "auth": identity.authentication if identity else None,
    }


def _anonymous_user() -> Any:
    # Its module holds models: this one must be importable before they are.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    return AnonymousUser()


def _scrub(scope: Scope, handshake: Handshake) -> None:
    """Take the credential out of the server's own scope, and of shallow copies above us."""
    if isinstance(scope["headers"], list):
        scope["headers"][:] = handshake.headers
    scope["headers"] = handshake.headers
    scope["query_string"] = handshake.query_string
    scope["subprotocols"] = handshake.subprotocols
