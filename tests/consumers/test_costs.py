"""A consumer costs what it uses: no hop, no task and no channel otherwise."""

import asyncio

import pytest

from channels_token_auth.consumers import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from tests.consumers.peer import ACCEPTED, CONNECT, Peer, gone, says, serve, text


class Echo(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json(content)


class Helped(Echo):
    uses_channel = False

    async def help(self):
        """A handler by its looks."""


class InGroup(Echo):
    groups = ("room",)


class Forced(Echo):
    uses_channel = True


class Handling(Echo):
    async def chat_message(self, event):
        pass


class Inheriting(Handling):
    _private = len
    setting = 3
    serializer_class = dict


class Plain(Echo):
    _private = len
    setting = 3
    serializer_class = dict


class Dispatching(Echo):
    async def dispatch(self, message):
        await super().dispatch(message)


class Dynamic(Echo):
    def __getattr__(self, name):
        raise AttributeError(name)


class InGroupAfterAll(InGroup):
    uses_channel = False


NONE = (AsyncWebsocketConsumer, AsyncJsonWebsocketConsumer, Echo, Plain, Helped)
ONE = (InGroup, Forced, Handling, Inheriting, Dispatching, Dynamic, InGroupAfterAll)


@pytest.mark.parametrize("consumer", NONE)
async def test_no_channel_where_no_message_could_come(consumer, layer):
    await serve(consumer, CONNECT, gone())
    assert layer.made == 0


@pytest.mark.parametrize("consumer", ONE)
async def test_channel_where_one_could(consumer, layer):
    await serve(consumer, CONNECT, gone())
    assert layer.made == 1


async def test_name_of_no_channel_says_how_to_have_one():
    class Named(AsyncWebsocketConsumer):
        async def connect(self):
            await self.accept(self.channel_name)

    with pytest.raises(AttributeError, match=r"Named\.uses_channel = True"):
        await Named.as_asgi()({}, Peer([CONNECT]).receive, None)


async def test_name_without_a_layer_names_its_alias(settings):
    settings.CHANNEL_LAYERS = {}
    with pytest.raises(AttributeError, match="'default'"):
        _ = (await _served(Forced)).channel_name


@pytest.mark.parametrize("consumer", [Echo, Handling])
async def test_no_hop_where_nobody_uses_a_database(consumer, hops):
    peer = await serve(consumer, CONNECT, text("1"), text("2"), gone())
    assert peer.sent == [ACCEPTED, says("1"), says("2")]
    assert hops == []


@pytest.mark.parametrize(("consumer", "more"), [(Echo, 0), (Handling, 1)])
async def test_no_task_but_the_one_that_reads_a_channel(consumer, more):
    counts = []

    async def count(peer):
        counts.append(len(asyncio.all_tasks()))

    before = len(asyncio.all_tasks())
    await serve(consumer, CONNECT, count, text("1"), count, gone())
    assert counts == [before + more] * 2
    assert len(asyncio.all_tasks()) == before


async def test_open_socket_has_one_coroutine_of_its_consumer():
    waits = asyncio.Event()
    left = asyncio.get_running_loop().create_future()
    events = [CONNECT]

    async def receive():
        if events:
            return events.pop()
        waits.set()
        return await left

    served = asyncio.create_task(Echo()({"type": "websocket"}, receive, _ignore))
    await waits.wait()
    assert served.get_coro().cr_await.cr_code is receive.__code__
    left.set_result(gone())
    await served


async def _served(consumer):
    instance = consumer()
    await instance({}, Peer([CONNECT, gone()]).receive, _ignore)
    return instance


async def _ignore(message):
    pass
