"""The routes: /<policy>/<application>/<socket>, any route before any application."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

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
_BACKENDS = [
    {"BACKEND": "tests.wire.project.lasting.LastingBackend"},
    {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"},
]
POLICIES = {
    "unguarded": _inner,
    "default": TokenAuthMiddlewareStack(_inner),
    "open": TokenAuthMiddlewareStack(_inner, anonymous=True),
    "query": TokenAuthMiddlewareStack(_inner, locations=["header", "subprotocol", "query"]),
    "cookie": TokenAuthMiddlewareStack(_inner, locations=["header", "subprotocol", "cookie"]),
    "listed": TokenAuthMiddlewareStack(
        _inner,
        allowed_origins=["https://app.example.com", "https://*.example.org", "null", "file://"],
    ),
    "close": TokenAuthMiddlewareStack(_inner, refusal="close"),
    "deny": TokenAuthMiddlewareStack(_inner, refusal="deny"),
    # No client is too slow for these two, and every silent one for "impatient".
    "messages": TokenAuthMiddlewareStack(_inner, locations=["first_message"], auth_timeout=600),
    "impatient": TokenAuthMiddlewareStack(_inner, locations=["first_message"], auth_timeout=1),
    "life": TokenAuthMiddlewareStack(
        _inner,
        backends=[{"BACKEND": "tests.wire.project.lasting.LastingBackend"}],
        locations=["header", "first_message"],
        auth_timeout=600,
        expiry_warning=60,
    ),
    "hasty": TokenAuthMiddlewareStack(_inner, verify_timeout=1),
    "remembering": TokenAuthMiddlewareStack(_inner, verified_cache_seconds=3600),
    # By the hour: at 5 a minute, a test that takes 12 s may send one more.
    **{
        f"limited-{name}": TokenAuthMiddlewareStack(_inner, backends=_BACKENDS, limits=limits)
        for name, limits in {
            "refuse": {"CONNECTIONS": {"user": 3}},
            "oldest": {"CONNECTIONS": {"user": 3, "policy": "close_oldest"}},
            "token": {"CONNECTIONS": {"token": 2}},
            "messages": {"MESSAGES": "5/hour"},
            "bytes": {"BYTES": "1000/hour"},
            "idle": {"IDLE": 1},
        }.items()
    },
    "inside-auth": AuthMiddlewareStack(TokenAuthMiddlewareStack(_inner)),
    "outside-auth": TokenAuthMiddlewareStack(AuthMiddlewareStack(_inner)),
}


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    await POLICIES[scope["path"].split("/")[1]](scope, receive, send)


http = URLRouter([re_path("^auth/", get_asgi_application()), re_path("", control)])
application = ProtocolTypeRouter({"http": http, "websocket": Reporter(websocket)})
