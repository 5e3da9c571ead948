"""Channels as it comes: each socket joins a group, whose message has its consumer close it."""

from urllib.parse import parse_qs

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.urls import path

__all__ = ["application", "kick"]


class Kickable(AsyncJsonWebsocketConsumer):
    """Asks no database whose token it is: that is not what is measured."""

    async def connect(self):
        self.groups.append(group(parse_qs(self.scope["query_string"].decode())["token"][0]))
        await self.channel_layer.group_add(self.groups[0], self.channel_name)
        await self.accept()

    async def receive_json(self, content, **_):
        await self.send_json(content)

    async def kick(self, _event):
        await self.close(code=4410)


def group(key):
    """The group of a token's sockets."""
    return f"token-{key}"


async def kick(key):
    """Close the sockets of a token, on every node."""
    await get_channel_layer().group_send(group(key), {"type": "kick"})


application = URLRouter([path("", Kickable.as_asgi())])
