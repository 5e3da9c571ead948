"""An `asgi.py` with a backend that BACKENDS does not have. Each look builds the application."""

from channels_token_auth.middleware import TokenAuthMiddleware
from tests.revocation.test_labels import entry

built: list[TokenAuthMiddleware] = []


def __getattr__(name):
    if name != "application":
        raise AttributeError(name)
    built.append(TokenAuthMiddleware(None, backends=[entry("routed", "https://a")]))
    return built[-1]
