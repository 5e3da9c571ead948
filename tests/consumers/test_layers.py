"""Groups work over each channel layer that there is."""

import pytest
from channels.layers import get_channel_layer

from channels_token_auth.consumers import AsyncJsonWebsocketConsumer
from tests.consumers.peer import ACCEPTED, CONNECT, gone, says, serve, to_group
from tests.services import redis

LAYERS = [
    "channels.layers.InMemoryChannelLayer",
    "channels_redis.core.RedisChannelLayer",
    "channels_redis.pubsub.RedisPubSubChannelLayer",
]


class Chat(AsyncJsonWebsocketConsumer):
    groups = ("room",)

    async def connect(self):
        await self.channel_layer.group_add("own", self.channel_name)
        await self.accept()

    async def chat_message(self, event):
        await self.send_json(event["text"])


@pytest.fixture(scope="module")
def server():
    with redis() as server:
        yield server


@pytest.fixture(params=LAYERS)
async def _layer(settings, server, request):
    config = {"hosts": [server.url]} if "redis" in request.param else {}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": request.param, "CONFIG": config}}
    yield
    await get_channel_layer().flush()
    if hasattr(get_channel_layer(), "close_pools"):
        await get_channel_layer().close_pools()


@pytest.mark.usefixtures("_layer")
async def test_groups_reach_the_consumer():
    acts = [to_group(group, {"type": "chat.message", "text": group}) for group in ("room", "own")]
    peer = await serve(Chat, CONNECT, *acts, gone())
    assert (peer.sent, peer.end) == ([ACCEPTED, says('"room"'), says('"own"')], None)
