"""The consumer without a protocol takes any: here one that Channels' workers speak, and HTTP."""

from channels_token_auth.consumers import AsyncConsumer
from tests.consumers.peer import serve


class Worker(AsyncConsumer):
    async def image_shrink(self, message):
        await self.send({"type": "image.shrunk", "id": message["id"]})

    async def http_request(self, message):
        await self.send({"type": "http.response.start", "status": 204, "headers": []})


async def test_each_message_has_the_handler_of_its_type():
    peer = await serve(Worker, {"type": "image.shrink", "id": 1}, {"type": "http.request"}, {})
    assert [message["type"] for message in peer.sent] == ["image.shrunk", "http.response.start"]
