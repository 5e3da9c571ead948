"""A revocation reaches other nodes and those of this process: in which order, and how soon."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from channels_token_auth import disconnect
from channels_token_auth.cluster import layer, pubsub
from channels_token_auth.cluster.sending_loop import SendingLoop
from tests.revocation.layer import SharedLayer

HERE = "tests.revocation.test_publishing"
happened = []


class Noting(SharedLayer):
    """Takes as long for a message as a test says."""

    seconds = 0.0

    async def group_send(self, group, message):
        await asyncio.sleep(self.seconds)
        happened.append("sent")
        await super().group_send(group, message)


@pytest.fixture(autouse=True)
def _layer(site, monkeypatch):
    happened.clear()
    site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Noting"}}
    monkeypatch.setattr(pubsub, "deliver", lambda _: happened.append("here"))


def test_command_sends_to_other_nodes_first():
    disconnect(connection_id="node.1")
    assert happened == ["sent", "here"]


async def test_view_sends_before_the_sockets_of_its_own_process_are_closed():
    # A view's thread sends in the event loop that is about to close sockets.
    await sync_to_async(disconnect)(connection_id="node.1")
    assert happened == ["sent", "here"]


async def test_slow_layer_does_not_keep_the_sockets_of_this_process_open(monkeypatch):
    monkeypatch.setattr(layer, "HEAD_START", 0.05)
    monkeypatch.setattr(Noting, "seconds", 3)  # so that a busy machine is quicker
    await sync_to_async(disconnect)(connection_id="node.1")
    assert happened == ["here", "sent"]


def test_process_that_can_start_no_thread_closes_its_own_sockets(monkeypatch, caplog):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(layer, "sending_loop", SendingLoop())
    with monkeypatch.context() as limit:
        limit.setattr(threading.Thread, "start", refuse)
        disconnect(connection_id="node.1")
    assert happened == ["here"]
    assert [each.levelname for each in caplog.records] == ["ERROR"]


def test_greenlets_send_without_a_thread_that_is_kept(monkeypatch):
    kept = SendingLoop()
    monkeypatch.setattr(layer, "sending_loop", kept)
    monkeypatch.setattr(layer, "has_real_threads", lambda: False)
    disconnect(connection_id="node.1")
    assert happened == ["sent", "here"]
    assert not kept.is_open
