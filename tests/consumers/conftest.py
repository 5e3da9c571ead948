"""Fixtures of these tests: a fresh channel layer, and a count of the hops to threads."""

import asyncio

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer

from channels_token_auth.consumers import database


class Layer(InMemoryChannelLayer):
    """A channel layer that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.reading = 0
        self.left = []

    async def new_channel(self, prefix: str = "specific.") -> str:
        self.made += 1
        return await super().new_channel(prefix)

    async def receive(self, channel: str):
        self.reading += 1
        try:
            return await super().receive(channel)
        finally:
            self.reading -= 1

    async def group_discard(self, group: str, channel: str) -> None:
        self.left.append(group)
        await super().group_discard(group, channel)


@pytest.fixture(autouse=True)
def layer(settings) -> Layer:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.consumers.conftest.Layer"}}
    return get_channel_layer()


@pytest.fixture
async def hops(monkeypatch) -> list[object]:
    """The hops to a thread, from when this loop knows the thread."""
    await database.close_old_connections()
    loop, made = asyncio.get_running_loop(), []
    hop = loop.run_in_executor

    def counting(executor, function, *arguments):
        made.append(function)
        return hop(executor, function, *arguments)

    monkeypatch.setattr(loop, "run_in_executor", counting)
    return made
