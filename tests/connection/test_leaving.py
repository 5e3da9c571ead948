"""A client that leaves while the token of its handshake is verified frees all that it held."""

import asyncio

import pytest

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import HandshakeAbandoned, subscribe
from tests.connection.backend import store
from tests.connection.server import CONNECT, LossyServer, Server, scope, text
from tests.connection.serving import Noting
from tests.connection.test_life import site

__all__ = ["site"]  # a fixture

GONE = {"type": "websocket.disconnect", "code": 1006}
HEADER = (b"authorization", b"Token alice")


@pytest.fixture
def hanging():
    """A token store that answers only once it is opened."""
    store.opened.clear()
    yield store.opened
    store.opened.set()


def begin(server, application):
    values = scope(headers=[HEADER])
    return asyncio.create_task(
        TokenAuthMiddleware(application)(values, server.receive, server.send)
    )


async def test_place_is_free_before_the_store_answers(site, hanging):
    abandoned = []
    end = subscribe(HandshakeAbandoned, abandoned.append)
    server, application = Server(CONNECT), Noting()
    task = begin(server, application)
    await asyncio.sleep(0.05)
    assert len(here().waiting) == 1
    await server.inbox.put(GONE)
    async with asyncio.timeout(2):
        await task
    end()
    assert not hanging.is_set()
    assert (len(here().waiting), here().sockets, server.sent) == (0, set(), [])
    assert (application.events, len(abandoned)) == ([], 1)


@pytest.mark.parametrize("kind", [Server, LossyServer])
async def test_client_that_waits_gets_its_socket_and_loses_no_frame(site, hanging, kind):
    server, application = kind(CONNECT), Noting()
    task = begin(server, application)
    await asyncio.sleep(0.5)
    hanging.set()
    async with asyncio.timeout(2):
        while "websocket.accept" not in server.types:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
    for event in (text("a"), text("b"), GONE):
        await server.inbox.put(event)
    async with asyncio.timeout(2):
        await task
    assert application.events[1:] == [text("a"), text("b"), GONE]
