"""The library's middleware around the library's consumer."""

from channels.routing import URLRouter
from django.urls import path

from channels_token_auth.consumers import AsyncJsonWebsocketConsumer
from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["application"]


class Echo(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content, **_):
        await self.send_json(content)


application = TokenAuthMiddlewareStack(URLRouter([path("", Echo.as_asgi())]))
