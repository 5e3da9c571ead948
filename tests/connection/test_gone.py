"""Clients that left before their handshake was answered: nothing stays, and nothing is lost."""

import logging
from contextlib import ExitStack

import pytest

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import (
    ConnectionAuthenticated,
    ConnectionClosed,
    HandshakeAbandoned,
    HandshakeRefused,
    subscribe,
)
from tests.connection.server import ACCEPT, CONNECT, Server, scope

LEFT = {"type": "websocket.disconnect", "code": 1006}
EVENTS = (ConnectionAuthenticated, ConnectionClosed, HandshakeAbandoned, HandshakeRefused)


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}]
    }


@pytest.fixture
def events():
    seen = []
    with ExitStack() as stack:
        for kind in EVENTS:
            stack.callback(subscribe(kind, lambda event: seen.append(type(event))))
        yield seen


async def application(scope, receive, send):
    """Accept as a consumer does: servers raise, or drop the message, where the client has left."""
    await receive()
    try:
        await send(ACCEPT)
    except RuntimeError:
        return
    assert (await receive())["type"] == "websocket.disconnect"


@pytest.mark.parametrize("gone", [True, False], ids=["send raises", "send is silent"])
@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("g00d-canary", [ConnectionAuthenticated, ConnectionClosed]),
        ("bad", [HandshakeRefused]),
    ],
)
async def test_client_that_left_during_its_handshake(token, expected, gone, events, caplog):
    server = Server(CONNECT, LEFT, gone=gone)
    headers = [(b"authorization", f"Token {token}".encode())]
    await TokenAuthMiddleware(application)(scope(headers=headers), server.receive, server.send)
    assert events == expected
    assert not here().sockets
    assert len(here().registry) == 0
    assert len(here().waiting) == 0
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("gone", [True, False], ids=["send raises", "send is silent"])
async def test_client_that_left_before_its_first_message(gone, events, caplog):
    server = Server(CONNECT, LEFT, gone=gone)
    await TokenAuthMiddleware(application)(scope(), server.receive, server.send)
    assert events == [HandshakeAbandoned]
    assert not here().sockets
    assert len(here().waiting) == 0
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
