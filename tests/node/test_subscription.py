"""The subscription of a node, whatever the layer does: a fake one fails where a test says."""

import asyncio
import logging

import pytest
from channels.layers import InMemoryChannelLayer

from channels_token_auth.cluster import envelope
from channels_token_auth.cluster import layer as layers
from channels_token_auth.cluster import subscription as module
from channels_token_auth.cluster.subscription import Subscription
from tests.node.messages import sealed


class Layer(InMemoryChannelLayer):
    """One that reaches others, as far as the library can tell. `fails`: in which methods."""

    def __init__(self):
        super().__init__()
        self.fails = set()
        self.hangs = set()
        self.calls = []

    async def new_channel(self, prefix="specific."):
        await self._act("new_channel")
        return await super().new_channel(prefix)

    async def group_add(self, group, channel):
        await self._act("group_add")
        await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        await self._act("group_discard")
        await super().group_discard(group, channel)

    async def receive(self, channel):
        await self._act("receive")
        return await super().receive(channel)

    async def group_send(self, group, message):
        await self._act("group_send")
        await super().group_send(group, message)

    async def _act(self, name):
        self.calls.append(name)
        if name in self.fails:
            raise ConnectionError("connection refused")
        if name in self.hangs:
            await asyncio.Event().wait()


class Node:
    def __init__(self):
        self.heard = []
        self.recovered = 0

    def handle(self, message, reply=None):
        self.heard.append((message, reply))

    def recover(self):
        self.recovered += 1


@pytest.fixture
async def layer(monkeypatch):
    layer = Layer()
    monkeypatch.setattr(layers, "remote_layer", lambda: layer)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.0)
    layers.outages.reset()
    return layer


@pytest.fixture
async def node(layer):
    node = Node()
    node.control = Subscription(node.handle, node.recover)
    node.task = asyncio.create_task(node.control.run())
    yield node
    node.task.cancel()
    await asyncio.wait([node.task])


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


def joined(layer):
    return bool(layer.groups.get(layers.GROUP))


async def test_messages_of_others_are_received(layer, node):
    await until(lambda: joined(layer))
    await layer.group_send(layers.GROUP, sealed({"kind": "revoke"}))
    await until(lambda: node.heard)
    ((message, reply),) = node.heard
    assert (message["kind"], reply) == ("revoke", None)


async def test_own_messages_come_back_and_are_not_acted_on_twice(layer, node):
    await until(lambda: joined(layer))
    await layer.group_send(layers.GROUP, envelope.seal({"number": 1}))
    await layer.group_send(layers.GROUP, sealed({"number": 2}))
    await until(lambda: node.heard)
    assert [message["number"] for message, _ in node.heard] == [2]


async def test_question_is_answered_over_its_group(layer, node):
    await until(lambda: joined(layer))
    mine = await layer.new_channel()
    await layer.group_add("answers", mine)
    await layer.group_send(layers.GROUP, sealed({"reply_to": "answers", "question": "q1"}))
    await until(lambda: node.heard)
    await node.heard[0][1]({"kind": "answer"})
    answer = await layer.receive(mine)
    assert (answer["kind"], answer["answers"]) == ("answer", "q1")


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_answer_that_nobody_takes_costs_the_node_nothing(how, layer, node, monkeypatch):
    monkeypatch.setattr(layers, "TIMEOUT", 0.01)
    await until(lambda: joined(layer))
    await layer.group_send(layers.GROUP, sealed({"reply_to": "answers", "question": "q1"}))
    await until(lambda: node.heard)
    getattr(layer, how).add("group_send")
    await node.heard[0][1]({"kind": "answer"})


async def break_off(layer, *methods):
    """Let the layer fail after the message that is received now."""
    layer.fails |= {"receive", *methods}
    await layer.group_send(layers.GROUP, sealed({}))


@pytest.mark.parametrize("method", ["receive", "group_add"])
async def test_layer_that_is_away_is_logged_once_and_joined_again(method, layer, node, caplog):
    await until(lambda: joined(layer))
    layer.calls.clear()
    await break_off(layer, method)
    await until(lambda: layer.calls.count(method) > 5)
    layer.fails.clear()
    await until(lambda: node.recovered and joined(layer))
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]


async def test_outage_of_hours_does_not_deafen_the_node(layer, node):
    """Past a thousand tries a power of two is no float any more."""
    await until(lambda: joined(layer))
    await break_off(layer, "group_add")
    async with asyncio.timeout(60):
        while layer.calls.count("group_add") < 1100:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
    layer.fails.clear()
    await until(lambda: node.recovered)


async def test_channel_that_nobody_listens_to_any_more_is_left(layer, node):
    await until(lambda: joined(layer))
    node.task.cancel()
    await until(lambda: not joined(layer))


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_leaving_a_layer_that_is_away_holds_nobody_up(how, layer, node, monkeypatch):
    monkeypatch.setattr(layers, "TIMEOUT", 0.01)
    await until(lambda: joined(layer))
    getattr(layer, how).add("group_discard")
    node.task.cancel()
    await until(node.task.done)
    assert "group_discard" in layer.calls


async def test_join_before_there_is_a_channel_does_nothing(layer):
    await Subscription(lambda *_: None, lambda: None).join()
    assert layer.calls == []


async def test_site_without_a_layer_has_nothing_to_listen_to(monkeypatch):
    monkeypatch.setattr(layers, "remote_layer", lambda: None)
    control = Subscription(lambda *_: None, lambda: None)
    await control.run()
    await control.join()
