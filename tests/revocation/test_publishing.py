"""A revocation reaches other nodes and those of this process: in which order, and how soon."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async

from channels_token_auth import disconnect
from channels_token_auth.cluster import pubsub
from tests.revocation.layer import SharedLayer

HERE = "tests.revocation.test_publishing"
happened = []


class Noting(SharedLayer):
    """Takes as long for a message as a test says."""

    seconds = 0.0

    async def group_send(self, group, message):
        await asyncio.sleep(self.seconds)
        happened.append(("sent", time.monotonic()))
        await super().group_send(group, message)


@pytest.fixture(autouse=True)
def _layer(site, monkeypatch):
    happened.clear()
    site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Noting"}}
    monkeypatch.setattr(pubsub, "deliver", lambda _: happened.append(("here", time.monotonic())))


def order():
    return [what for what, _ in happened]


def test_command_sends_to_other_nodes_first():
    disconnect(connection_id="node.1")
    assert order() == ["sent", "here"]


async def test_view_sends_before_the_sockets_of_its_own_process_are_closed():
    # A view's thread sends in the event loop that is about to close sockets.
    await sync_to_async(disconnect)(connection_id="node.1")
    assert order() == ["sent", "here"]


async def test_slow_layer_does_not_keep_the_sockets_of_this_process_open(monkeypatch):
    monkeypatch.setattr(Noting, "seconds", 0.5)
    began = time.monotonic()
    await sync_to_async(disconnect)(connection_id="node.1")
    assert order() == ["here", "sent"]
    assert happened[0][1] - began < 0.4
