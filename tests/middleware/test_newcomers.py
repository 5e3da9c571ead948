"""Handshakes that wait until others have begun: see `limits/newcomers.py`."""

import asyncio
import time

import pytest

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from tests.connection.server import CONNECT, Server, scope
from tests.middleware.test_middleware import GOOD, Application, site

__all__ = ["site"]  # a fixture for all tests here

OTHER = (b"x-other", b"header")


@pytest.fixture
def application():
    return Application()


def begin(application, handshake):
    """Start one handshake when no other may begin in this turn of the event loop."""
    server = Server(CONNECT)
    middleware = TokenAuthMiddleware(application)
    running = asyncio.create_task(middleware(handshake, server.receive, server.send))
    while here().newcomers.may_begin():
        pass
    return server, running


async def test_handshake_begins_when_its_turn_comes(application):
    server, running = begin(application, scope(headers=[GOOD]))
    await asyncio.sleep(0)
    assert server.sent == []
    await running
    assert server.types[0] == "websocket.accept"
    assert len(here().newcomers) == 0


async def test_handshake_that_has_waited_for_too_long_is_refused_without_a_query(
    application, settings
):
    settings.CHANNELS_TOKEN_AUTH |= {"AUTH_TIMEOUT": 0.01}
    server, running = begin(application, scope(headers=[GOOD], subprotocols=["token-auth.v1"]))
    await asyncio.sleep(0)
    time.sleep(0.05)  # noqa: ASYNC251 - a turn of the event loop that takes long
    await running
    assert server.sent[-1]["code"] == 4503
    assert application.scope is None


async def test_server_that_cancels_a_waiting_handshake_finds_no_token_in_its_scope(application):
    handshake = scope(headers=[GOOD, OTHER])
    _, running = begin(application, handshake)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert list(handshake["headers"]) == [OTHER]
