"""The routes: /<policy>/<application>/<socket>, any door before any application."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from channels_token_auth.middleware import TokenAuthMiddlewareStack
from tests.wire.project.applications import APPLICATIONS
from tests.wire.project.control import control
from tests.wire.project.journal import Recorder
from tests.wire.project.reporter import Reporter

_inner = URLRouter(
    [
        path(f"<policy>/{name}/<socket>", Recorder(application))
        for name, application in APPLICATIONS.items()
    ]
)
POLICIES = {
    "unguarded": _inner,
    "default": TokenAuthMiddlewareStack(_inner),
    "open": TokenAuthMiddlewareStack(_inner, anonymous=True),
    "query": TokenAuthMiddlewareStack(_inner, locations=["header", "subprotocol", "query"]),
    "cookie": TokenAuthMiddlewareStack(_inner, locations=["header", "subprotocol", "cookie"]),
    "listed": TokenAuthMiddlewareStack(_inner, allowed_origins=["https://app.example.com", "null"]),
    "close": TokenAuthMiddlewareStack(_inner, refusal="close"),
    "deny": TokenAuthMiddlewareStack(_inner, refusal="deny"),
    "inside-auth": AuthMiddlewareStack(TokenAuthMiddlewareStack(_inner)),
    "outside-auth": TokenAuthMiddlewareStack(AuthMiddlewareStack(_inner)),
}


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    await POLICIES[scope["path"].split("/")[1]](scope, receive, send)


application = ProtocolTypeRouter({"http": control, "websocket": Reporter(websocket)})
