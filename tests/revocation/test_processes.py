"""Said from anywhere, heard by all other processes, and nothing is left behind: over real Redis."""

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from redis import Redis as Client

from channels_token_auth import adisconnect, disconnect
from channels_token_auth.cluster import layer as cluster_layer
from channels_token_auth.cluster.local_nodes import node_count
from channels_token_auth.cluster.sending_loop import SendingLoop
from tests.node.messages import sealed
from tests.services import Redis, redis

LAYERS = {
    "redis": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}
SAID = {"connection_id": "node.1"}


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with redis() as server:
        yield server


@pytest.fixture
def clients(server):
    """How many connections Redis has, but for this one."""
    client = Client.from_url(server.url)
    yield lambda: len(client.client_list()) - 1
    client.close()


@pytest.fixture(params=LAYERS)
def layers(request, server, site):
    site.CHANNEL_LAYERS = {
        "default": {"BACKEND": LAYERS[request.param], "CONFIG": {"hosts": [server.url]}}
    }


@pytest.fixture
async def ear(layers):
    """Return a channel that receives the messages to other processes."""
    layer = channel_layers.make_backend("default")
    channel = await layer.new_channel()
    await layer.group_add(cluster_layer.GROUP, channel)

    async def hear():
        async with asyncio.timeout(60):
            message = await layer.receive(channel)
        return [each["target"] for each in message["revocations"]]

    yield hear
    await layer.group_discard(cluster_layer.GROUP, channel)
    await layer.flush()


async def in_a_plain_thread():
    thread = threading.Thread(target=disconnect, kwargs=SAID)
    thread.start()
    while thread.is_alive():  # noqa: ASYNC110 - a thread has no event
        await asyncio.sleep(0.001)


async def in_a_thread_of_asynchronous_code():
    await sync_to_async(disconnect)(**SAID)


async def in_a_thread_with_a_loop_of_its_own():
    async def say():
        await adisconnect(**SAID)

    await asyncio.to_thread(lambda: asyncio.run(say()))


async def in_this_event_loop():
    disconnect(**SAID)


async def in_a_fork():
    pid = await asyncio.to_thread(fork)
    await asyncio.to_thread(os.waitpid, pid, 0)


def fork():
    pid = os.fork()
    if pid:
        return pid
    try:
        disconnect(**SAID)
    finally:
        os._exit(0)


PLACES = [
    in_a_plain_thread,
    in_a_thread_of_asynchronous_code,
    in_a_thread_with_a_loop_of_its_own,
    in_this_event_loop,
    in_a_fork,
]


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("say", PLACES, ids=lambda place: place.__name__)
async def test_it_reaches_other_processes_and_leaves_nothing_behind(say, ear, clients):
    await in_this_event_loop()  # whose own connection stays, as that of any layer
    await ear()
    tasks, connections = asyncio.all_tasks(), clients()
    for _ in range(3):
        await say()
        assert await ear() == [SAID]
    await until(lambda: asyncio.all_tasks() <= tasks)
    await until(lambda: clients() <= connections)


async def test_calls_that_follow_each_other_share_a_connection(ear, server, monkeypatch):
    kept = SendingLoop(idle_seconds=600)
    monkeypatch.setattr(cluster_layer, "sending_loop", kept)
    client = Client.from_url(server.url)
    before = client.info("stats")["total_connections_received"]
    for _ in range(5):
        await in_a_plain_thread()
        assert await ear() == [SAID]
    # `ear` may open one more, to receive.
    assert client.info("stats")["total_connections_received"] - before <= 2
    await asyncio.to_thread(kept.end)
    client.close()


async def test_listener_of_a_fork_is_its_parents_and_is_not_called_there(ear, sockets, token):
    """The child has our node's memory, but not its event loop."""
    await sockets(token.key)
    assert node_count() == 1
    reader, writer = os.pipe()

    def count():
        pid = os.fork()
        if pid:
            return pid
        os.write(writer, str(node_count()).encode())
        os._exit(0)

    pid = await asyncio.to_thread(count)
    assert os.read(reader, 1) == b"0"
    await asyncio.to_thread(os.waitpid, pid, 0)
    os.close(reader)
    os.close(writer)


async def test_what_another_process_says_closes_sockets_here(layers, sockets, token):
    socket = await sockets(token.key)
    layer = channel_layers.make_backend("default")
    revocation = {"target": {"user_id": str(token.user_id)}, "code": "user_inactive"}
    message = {"kind": "revoke", "revocations": [revocation]}
    async with asyncio.timeout(60):
        while socket.code is None:  # the node may not have joined yet
            await layer.group_send(cluster_layer.GROUP, sealed(message))
            await asyncio.sleep(0.05)
    assert socket.code == 4423
    await layer.flush()


async def test_redis_that_is_away_holds_nobody_up(site, caplog):
    server = Redis()  # never started
    site.CHANNEL_LAYERS = {
        "default": {"BACKEND": LAYERS["redis"], "CONFIG": {"hosts": [server.url]}}
    }
    await adisconnect(**SAID)
    assert [each.levelname for each in caplog.records] == ["ERROR"]
