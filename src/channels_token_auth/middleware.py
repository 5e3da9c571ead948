"""Authenticate the WebSockets of an ASGI application."""

import logging
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from . import conf
from .cluster.local_nodes import note_server
from .connection.application import ApplicationSide
from .connection.asgi_scope import clean, read_everywhere
from .connection.connection import Connection
from .connection.ending import end_without_application, finish
from .connection.nesting import NESTED, find_inside, is_inside
from .connection.opening import open_connection
from .connection.transport import Transport
from .core.asgi_types import Application, Message, Receive, Scope, Send
from .core.close_codes import CloseReason
from .core.errors import TokenAuthError
from .core.handshake.explanation import BARE_TOKEN
from .core.handshake.refusal import close_message
from .core.lifecycle import Stage
from .node.node import Node, here
from .observability import redaction_filter
from .observability.throttle import Throttle
from .revocation.triggers import wire
from .verification.route import Route, build_later

__all__ = ["TokenAuthMiddleware", "TokenAuthMiddlewareStack"]

# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_OVER = Stage.OVER

logger = logging.getLogger("channels_token_auth")
throttle = Throttle()


class TokenAuthMiddleware:
    """Authenticate every WebSocket by a token before the application inside sees it.

    The application finds `scope["user"]`, a concrete user, and `scope["auth"]`, an
    `Authentication` that follows reauthentication (None for an anonymous socket). Keyword
    arguments are the settings' names in lower case, and override them here, except for those of
    the whole site, such as `CACHE`. Other kinds of scope pass untouched.

    Building it raises ImproperlyConfigured if a setting is wrong, a backend cannot be built,
    "channels_token_auth" is missing from INSTALLED_APPS, or another one is in the application: a
    server runs no system checks.
    """

    def __init__(self, application: Application, **overrides: Any) -> None:
        if find_inside(application, TokenAuthMiddleware):
            raise ImproperlyConfigured(NESTED)
        self.application = application
        self._overrides = overrides
        note_server()
        self._settings: conf.Configuration | None = None
        names = (overrides.get("query_name"), overrides.get("cookie_name"))
        redaction_filter.install(name for name in names if isinstance(name, str) and name)
        # Built above `get_asgi_application()`, it has to wait for a revocation or a socket.
        if apps.ready:
            self._route()
        else:
            build_later(self._route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        if is_inside(scope, receive):  # in middleware whose content `find_inside` cannot read
            await _refuse_second(send)
            return
        try:
            node = here()
            # Before anything is read: with thousands of clients, reading alone takes long.
            waited = 0.0 if node.newcomers.may_begin() else await node.newcomers.turn()
            connection = self._connection(node, scope, receive, send)
        except BaseException:  # a wrong setting, or the server has cancelled the handshake
            self._clean(scope)
            raise
        try:
            connect = await open_connection(connection, waited=waited)
            if connect is None:
                clean(scope, connection.route.read_everywhere(scope))
            else:
                # Into the variables of the server's side: this frame exists as long as the socket,
                # so each variable costs memory, and so does what one refers to.
                scope, receive, send = _inside(connection, connect)
                del connect
                await self.application(scope, receive, send)
            if connection.exchange.stage is not _OVER:
                await end_without_application(connection, has_raised=False)
        except TokenAuthError as error:  # raised by `requires_scopes`, for example
            connection.end(error)
        except BaseException:
            await end_without_application(connection, has_raised=True)
            raise
        finally:
            await finish(connection)

    def _clean(self, scope: Scope) -> None:
        # Outer middleware must not find the token, wherever the client has put it.
        clean(scope, read_everywhere(scope, **conf.raw_names(self._overrides)))

    def _connection(self, node: Node, scope: Scope, receive: Receive, send: Send) -> Connection:
        route = self._route()
        handshake = route.read(scope)
        # First, so that outer middleware never finds the token, however the socket ends.
        clean(scope, handshake)
        return Connection(node, route, handshake, scope, Transport(receive, send, node.loop))

    def _route(self) -> Route:
        """Return the route of the current settings: a new one when a setting has changed."""
        settings = conf.configuration()
        # By identity, which is cheap: it is the same object until a setting changes.
        if self._settings is not settings:
            _require_installed()
            overridden = conf.override(self._overrides) if self._overrides else settings
            self._built = Route(overridden)
            self._settings = settings
            if "backends" in self._overrides:
                wire()  # the signals of these backends
        return self._built


def _inside(connection: Connection, connect: Message) -> tuple[Scope, Receive, Send]:
    """Return what the application is called with."""
    if connection.handshake.has_bare_token and throttle.allows("bare token"):
        # Not a refusal, which is explained elsewhere: the client was admitted.
        logger.warning("%s", BARE_TOKEN)
    side = ApplicationSide(connection, connect)
    return connection.inner_scope(), side.callable, side.send


async def _refuse_second(send: Send) -> None:
    # Refuse it instead of passing it on: the inner middleware may be stricter.
    if throttle.allows("nested"):
        logger.error(NESTED)
    await send(close_message(CloseReason.APPLICATION_FAILED))


def _require_installed() -> None:
    if not apps.is_installed("channels_token_auth"):
        raise ImproperlyConfigured(
            'Add "channels_token_auth" to INSTALLED_APPS: without it no signal closes sockets, and'
            " tokens that are revoked keep theirs until the next sweep."
        )


def TokenAuthMiddlewareStack(application: Application, **overrides: Any) -> TokenAuthMiddleware:  # noqa: N802 - named as Channels names its own
    """Return the middleware that belongs between the protocol router and a `URLRouter`.

    `overrides`: as for `TokenAuthMiddleware`. Channels' stack is not needed around it: the session
    backend reads the cookie by itself.
    """
    return TokenAuthMiddleware(application, **overrides)
