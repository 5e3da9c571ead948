"""WebSocket routes."""

from django.urls import path, re_path

from hello.consumers import HelloConsumer


async def not_found(scope, receive, send):
    """Denies the handshake; `URLRouter` alone would raise for a path it does not know."""
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("", HelloConsumer.as_asgi()),
    re_path(r"", not_found),
]
