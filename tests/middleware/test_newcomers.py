"""Handshakes that wait until others have begun: see `limits/newcomers.py`."""

import asyncio
import time

import pytest

from channels_token_auth.limits.newcomers import AT_ONCE, MAX_WAITING
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import HandshakeRefused, subscribe
from tests.connection.server import CONNECT, Server, scope
from tests.middleware.test_middleware import GOOD, Application, site

__all__ = ["site"]  # a fixture for all tests here

OTHER = (b"x-other", b"header")


@pytest.fixture
def application():
    return Application()


@pytest.fixture
def refusals():
    noted = []
    end = subscribe(HandshakeRefused, noted.append)
    yield noted
    end()


async def take_turn():
    """Begin a handshake that does nothing else."""
    if not here().newcomers.may_begin():
        await here().newcomers.turn()


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
    application, refusals, settings
):
    settings.CHANNELS_TOKEN_AUTH |= {"AUTH_TIMEOUT": 0.01}
    server, running = begin(application, scope(headers=[GOOD], subprotocols=["token-auth.v1"]))
    await asyncio.sleep(0)
    time.sleep(0.05)  # noqa: ASYNC251 - a turn of the event loop that takes long
    await running
    assert server.sent[-1]["code"] == 4503
    assert refusals[-1].detail.slug == "too_many_handshakes"
    assert application.scope is None


async def test_handshake_that_finds_the_line_full_is_asked_to_come_again(application, refusals):
    others = asyncio.gather(*(take_turn() for _ in range(AT_ONCE + MAX_WAITING)))
    await asyncio.sleep(0)
    server = Server(CONNECT)
    handshake = scope(headers=[GOOD, OTHER], subprotocols=["token-auth.v1"])
    await TokenAuthMiddleware(application)(handshake, server.receive, server.send)
    assert server.sent[-1]["code"] == 4503
    assert refusals[-1].detail.slug == "too_many_handshakes"
    assert application.scope is None
    assert list(handshake["headers"]) == [OTHER]
    await others


async def test_server_that_cancels_a_waiting_handshake_finds_no_token_in_its_scope(application):
    handshake = scope(headers=[GOOD, OTHER])
    _, running = begin(application, handshake)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert list(handshake["headers"]) == [OTHER]
