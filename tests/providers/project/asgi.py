"""The application of each node: Django, and a socket that answers."""

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - once apps are loaded

from channels_token_auth.middleware import TokenAuthMiddlewareStack  # noqa: E402 - as above


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data)


application = ProtocolTypeRouter(
    {"http": django_application, "websocket": TokenAuthMiddlewareStack(Echo.as_asgi())}
)
