"""Channels alone, without authentication: the base of the other contestants."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import URLRouter
from django.urls import path

__all__ = ["application", "for_users"]


class Echo(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content, **_):
        await self.send_json(content)


class EchoForUsers(Echo):
    """Refuses anonymous users, which the usual middleware lets pass."""

    async def connect(self):
        if self.scope["user"].is_anonymous:
            await self.close()
        else:
            await self.accept()


application = URLRouter([path("", Echo.as_asgi())])
for_users = URLRouter([path("", EchoForUsers.as_asgi())])
