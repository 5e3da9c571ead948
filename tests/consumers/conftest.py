"""Fixtures of these tests: a fresh channel layer, and a count of the hops to threads."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connections

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


@pytest.fixture(autouse=True)
async def _thread():
    """Start asgiref's thread before a test counts threads and tasks.

    It has no connection that an earlier module left open: a consumer would look whether it is due,
    which a test without a database must not.
    """
    await sync_to_async(connections.close_all)()
