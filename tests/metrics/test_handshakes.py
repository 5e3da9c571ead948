"""Handshakes and sockets are counted as they are, from the handshake to the end."""

import asyncio
import json

import pytest
from django.contrib.auth.models import User
from prometheus_client import REGISTRY
from rest_framework.authtoken.models import Token

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from tests.connection.server import ACCEPT, CONNECT, Server, scope, text

PREFIX = "channels_token_auth"
LEAVE = {"type": "websocket.disconnect", "code": 1001}


@pytest.fixture(autouse=True)
def site(settings, transactional_db):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
    }


def gauge(name):
    return REGISTRY.get_sample_value(f"{PREFIX}_{name}")


def outcomes():
    """Each outcome's labels and number."""
    families = (each for each in REGISTRY.collect() if each.name == f"{PREFIX}_handshakes")
    return {
        tuple(sample.labels[name] for name in ("outcome", "backend", "location")): sample.value
        for family in families
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def _serve(_scope, receive, send):
    await send(ACCEPT)
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def counted(*events, options=(), **values):
    """Return the labels under which a socket with these events was counted."""
    before = outcomes()
    server = Server(CONNECT, *events)
    application = TokenAuthMiddleware(_serve, **dict(options))
    async with asyncio.timeout(60):
        await application(scope(**values), server.receive, server.send)
    return [labels for labels, count in outcomes().items() if count != before.get(labels, 0)]


def bearing(token):
    return {"headers": [(b"authorization", b"Token " + token.encode())]}


async def a_token():
    user = await User.objects.acreate(username="ada")
    return (await Token.objects.acreate(user=user)).key


async def test_accepted_token_counts_for_its_backend_and_location():
    token = await a_token()
    assert await counted(LEAVE, **bearing(token)) == [("accepted", "drf", "header")]


async def test_refused_token_counts_for_the_backend_that_recognizes_it():
    assert await counted(**bearing("0" * 40)) == [("token_invalid", "drf", "header")]


async def test_token_that_no_backend_recognizes_counts_for_none():
    assert await counted(**bearing("short")) == [("token_invalid", "none", "header")]


async def test_refused_first_message_counts_for_its_location():
    message = text(json.dumps({"type": "auth", "token": "0" * 40}))
    assert await counted(message) == [("token_invalid", "drf", "first_message")]


async def test_handshake_without_a_credential_has_no_location():
    offered = {"subprotocols": ["chat"]}
    assert await counted(**offered) == [("token_missing", "none", "none")]


async def test_client_that_leaves_before_its_first_message_is_abandoned():
    assert await counted(LEAVE) == [("abandoned", "none", "none")]


async def test_anonymous_socket_counts_as_such():
    options = {"anonymous": True, "locations": ["header"]}
    assert await counted(LEAVE, options=options) == [("anonymous", "none", "none")]
    assert gauge("open_connections") == 0


@pytest.fixture
async def serving():
    tasks = []

    def serve(*events, **values):
        server = Server(CONNECT, *events)
        run = TokenAuthMiddleware(_serve)(scope(**values), server.receive, server.send)
        tasks.append(asyncio.create_task(run))
        return server

    yield serve
    await asyncio.gather(*tasks)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


async def test_sockets_wait_and_are_open_and_are_gone(serving):
    token = await a_token()
    waiting = serving()
    await until(lambda: waiting.types == ["websocket.accept", "websocket.send"])
    assert (gauge("waiting_connections"), gauge("open_connections")) == (1, 0)
    waiting.inbox.put_nowait(text(json.dumps({"type": "auth", "token": token})))
    await until(lambda: len(here().registry) == 1)
    assert (gauge("waiting_connections"), gauge("open_connections")) == (0, 1)
    waiting.inbox.put_nowait(LEAVE)
    await until(lambda: not here().sockets)
    assert (gauge("waiting_connections"), gauge("open_connections")) == (0, 0)
