"""A node's ear in the channel layer, whatever befalls the layer: a fake one, that fails as told."""

import asyncio
import logging

import pytest
from channels.layers import InMemoryChannelLayer

from channels_token_auth.cluster import pubsub
from channels_token_auth.cluster import subscription as module
from channels_token_auth.cluster.subscription import Subscription


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

    async def send(self, channel, message):
        await self._act("send")
        await super().send(channel, message)

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

    def hear(self, message, reply=None):
        self.heard.append((message, reply))

    def recover(self):
        self.recovered += 1


@pytest.fixture
async def layer(monkeypatch):
    layer = Layer()
    monkeypatch.setattr(pubsub, "remote_layer", lambda: layer)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.0)
    return layer


@pytest.fixture
async def node(layer):
    node = Node()
    node.control = Subscription(node.hear, node.recover)
    node.task = asyncio.create_task(node.control.run())
    yield node
    node.task.cancel()
    await asyncio.wait([node.task])


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


def joined(layer):
    return bool(layer.groups.get(pubsub.GROUP))


async def test_what_others_say_is_heard(layer, node):
    await until(lambda: joined(layer))
    await layer.group_send(pubsub.GROUP, {"process": "another", "kind": "end"})
    await until(lambda: node.heard)
    assert node.heard == [({"process": "another", "kind": "end"}, None)]


async def test_what_this_process_says_comes_back_and_is_not_heard_twice(layer, node):
    await until(lambda: joined(layer))
    for process in (pubsub._process.name, "another"):
        await layer.group_send(pubsub.GROUP, {"process": process})
    await until(lambda: node.heard)
    assert [message["process"] for message, _ in node.heard] == ["another"]


async def test_who_asks_gets_the_answer(layer, node):
    await until(lambda: joined(layer))
    question = {"process": "another", "reply_to": "specific.asker", "asked_as": "q1"}
    await layer.group_send(pubsub.GROUP, question)
    await until(lambda: node.heard)
    await node.heard[0][1]({"kind": "answer"})
    assert await layer.receive("specific.asker") == {"kind": "answer", "asked": "q1"}


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_answer_that_nobody_takes_costs_the_node_nothing(how, layer, node, monkeypatch):
    monkeypatch.setattr(pubsub, "PUBLISH_TIMEOUT", 0.01)
    await until(lambda: joined(layer))
    await layer.group_send(pubsub.GROUP, {"process": "another", "reply_to": "specific.asker"})
    await until(lambda: node.heard)
    getattr(layer, how).add("send")
    await node.heard[0][1]({"kind": "answer"})


async def break_off(layer, *methods):
    """What is received at this moment is the last."""
    layer.fails |= {"receive", *methods}
    await layer.group_send(pubsub.GROUP, {"process": "another"})


@pytest.mark.parametrize("method", ["receive", "group_add"])
async def test_layer_that_is_away_is_logged_once_and_joined_again(method, layer, node, caplog):
    await until(lambda: joined(layer))
    layer.calls.clear()
    await break_off(layer, method)
    await until(lambda: layer.calls.count(method) > 5)
    layer.fails.clear()
    await until(lambda: node.recovered and joined(layer))
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


async def test_outage_of_hours_does_not_deafen_the_node(layer, node):
    """Past a thousand tries a power of two is no float any more."""
    await until(lambda: joined(layer))
    await break_off(layer, "group_add")
    async with asyncio.timeout(30):
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
    monkeypatch.setattr(module, "LEAVE_TIMEOUT", 0.01)
    await until(lambda: joined(layer))
    getattr(layer, how).add("group_discard")
    node.task.cancel()
    await until(node.task.done)
    assert "group_discard" in layer.calls


async def test_join_before_there_is_a_channel_does_nothing(layer):
    await Subscription(lambda *_: None, lambda: None).join()
    assert layer.calls == []


async def test_site_without_a_layer_has_nothing_to_listen_to(monkeypatch):
    monkeypatch.setattr(pubsub, "remote_layer", lambda: None)
    control = Subscription(lambda *_: None, lambda: None)
    await control.run()
    await control.join()
