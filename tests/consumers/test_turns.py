"""The client's messages and the layer's are handled one at a time, until one ends it all."""

import asyncio
from contextvars import ContextVar

import pytest
from channels.exceptions import StopConsumer

from channels_token_auth.consumers import AsyncWebsocketConsumer, websocket
from tests.consumers.peer import (
    ACCEPTED,
    CONNECT,
    Peer,
    eventually,
    gone,
    says,
    serve,
    text,
    to_group,
)


class Room(AsyncWebsocketConsumer):
    groups = ("room",)

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data)

    async def room_says(self, event):
        await self.send(event["text"])


async def test_message_of_the_layer_waits_for_a_slow_handler(layer):
    class Slow(Room):
        async def receive(self, text_data=None, bytes_data=None):
            await layer.group_send("room", {"type": "room.says", "text": "layer"})
            await asyncio.sleep(0.02)
            await self.send(text_data)

    peer = await serve(Slow, CONNECT, text("slow"), _until(3), gone())
    assert peer.sent[1:] == [says("slow"), says("layer")]


async def test_message_of_the_client_waits_for_a_slow_handler():
    class Slow(Room):
        async def room_slow(self, event):
            await self.send("begin")
            await asyncio.sleep(0.02)
            await self.send("end")

    peer = await serve(Slow, CONNECT, to_group("room", {"type": "room.slow"}), text("x"), gone())
    assert peer.sent[1:] == [says("begin"), says("end"), says("x")]


async def test_handler_of_the_layers_messages_has_the_context_of_connect():
    language = ContextVar("language", default="en")

    class Chat(Room):
        async def connect(self):
            language.set("fr")
            await self.accept()

        async def room_asks(self, event):
            await self.send(language.get())

    peer = await serve(Chat, CONNECT, to_group("room", {"type": "room.asks"}), gone())
    assert peer.sent[1:] == [says("fr")]


async def test_busy_client_does_not_starve_the_layer():
    frames = [text(str(number)) for number in range(5)]
    act = to_group("room", {"type": "room.says", "text": "layer"})
    peer = await serve(Room, CONNECT, *frames, act, *frames, gone())
    assert says("layer") in peer.sent
    assert len(peer.sent) == 12


@pytest.mark.parametrize(("error", "end"), [(LookupError, "LookupError"), (StopConsumer, None)])
async def test_error_of_the_layers_handler_lets_no_other_handler_run(error, end):
    class Failing(Room):
        async def room_fails(self, event):
            await self.send("failing")
            await asyncio.sleep(0.02)  # the client's next frame waits for its turn meanwhile
            raise error

    act = to_group("room", {"type": "room.fails"})
    peer = await serve(Failing, CONNECT, act, text("never"))
    assert (peer.sent, peer.end) == ([ACCEPTED, says("failing")], end)


async def test_cancelled_await_in_the_layers_handler_ends_it():
    class Cancelled(Room):
        async def room_waits(self, event):
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    act = to_group("room", {"type": "room.waits"})
    with pytest.raises(asyncio.CancelledError):
        await serve(Cancelled, CONNECT, act)


async def test_layer_that_fails_lets_the_clients_handler_finish(layer):
    class Slow(Room):
        async def receive(self, text_data=None, bytes_data=None):
            layer.channels[self.channel_name].put_nowait(None)  # it cannot be unpacked
            await asyncio.sleep(0.02)
            await self.send("done")

    peer = await serve(Slow, CONNECT, _settle, text("x"), text("never"))
    assert (peer.sent, peer.end) == ([ACCEPTED, says("done")], "TypeError")


async def test_layer_that_fails_ends_an_idle_consumer(layer):
    async def fail(peer):
        await _settle(peer)
        (queue,) = layer.channels.values()
        queue.put_nowait(None)

    assert (await serve(Room, CONNECT, fail)).end == "TypeError"


@pytest.mark.parametrize("todo", [[gone()], [text("x"), {"type": "unknown"}]])
async def test_reader_of_the_layer_ends_with_the_consumer(layer, todo):
    seen = []

    async def look(peer):
        await _settle(peer)
        seen.append(layer.reading)

    await serve(Room, CONNECT, look, *todo)
    assert (seen, layer.reading) == ([1], 0)


async def test_cancelled_consumer_ends_its_reader_and_leaves_its_groups(layer):
    peer = Peer([CONNECT])
    task = asyncio.create_task(peer.serve(Room.as_asgi()))
    await eventually(lambda: layer.reading)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (layer.reading, layer.groups) == (0, {})


@pytest.mark.parametrize("ending", [text("x"), {"type": "room.ends"}])
async def test_groups_are_left_after_an_error(layer, ending):
    class Failing(Room):
        async def receive(self, text_data=None, bytes_data=None):
            raise LookupError

    peer = await serve(Failing, CONNECT, ending)
    assert peer.end in {"LookupError", "ValueError"}
    assert layer.groups == {}


async def test_groups_are_left_once(layer):
    await serve(Room, CONNECT, gone())
    assert layer.left == ["room"]


@pytest.mark.parametrize("failure", ["raises", "hangs"])
async def test_layer_that_is_down_does_not_hide_the_error(layer, monkeypatch, failure):
    async def discard(group, channel):
        await asyncio.sleep(0 if failure == "raises" else 60)
        raise ConnectionError

    monkeypatch.setattr(websocket, "LEAVE_TIMEOUT", 0.01)
    monkeypatch.setattr(layer, "group_discard", discard)
    assert (await serve(Room, CONNECT, {"type": "unknown"})).end == "ValueError"


def _until(count):
    async def wait(peer):
        await eventually(lambda: len(peer.sent) >= count)

    return wait


async def _settle(peer):
    """Until the reader reads."""
    await asyncio.sleep(0.001)
