"""Route WebSockets by their path."""

from django.urls import path, re_path

from hello.consumers import HelloConsumer


async def not_found(scope, receive, send):
    """Deny the handshake. `URLRouter` alone raises an exception for an unknown path."""
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("", HelloConsumer.as_asgi()),
    re_path(r"", not_found),
]
