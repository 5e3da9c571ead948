"""Why a socket was refused reaches the developer, at each moment, and never the client."""

import asyncio
import json

import pytest

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.observability import refusal_log
from channels_token_auth.observability.events import (
    HandshakeRefused,
    ReauthenticationRefused,
    subscribe,
)
from tests.connection.backend import store
from tests.connection.server import CONNECT, Server, scope, text
from tests.connection.serving import Noting, start


@pytest.fixture
def refused():
    seen = []
    end = subscribe(HandshakeRefused, seen.append)
    yield seen
    end()


@pytest.fixture(autouse=True)
def site(settings, transactional_db):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
        "AUTH_TIMEOUT": 0.5,
    }


async def _never(scope, receive, send):
    raise AssertionError("admitted")


async def handshake(*messages, **values):
    server = Server(CONNECT, *messages)
    async with asyncio.timeout(60):
        await TokenAuthMiddleware(_never)(scope(**values), server.receive, server.send)
    return repr(server.sent)


CASES = {
    "origin_not_in_allowed_hosts": {"headers": [(b"origin", b"http://evil.example")]},
    "query_is_off": {"query_string": b"token=c4nary"},
    "authorization_without_scheme": {"headers": [(b"authorization", b"c4nary")]},
    "token_not_recognized": {"headers": [(b"authorization", b"Token c4nary")]},
    "token_unknown": {"headers": [(b"authorization", b"Token " + b"0" * 40)]},
    "ticket_unknown_in_this_process": {"query_string": b"ticket=c4nary"},
}


@pytest.mark.parametrize(("slug", "values"), CASES.items(), ids=CASES)
async def test_refused_handshake_is_explained(slug, values, refused, caplog):
    sent = await handshake(**values)
    assert [each.detail.slug for each in refused] == [slug]
    assert slug not in sent
    assert "c4nary" not in caplog.text


async def test_refused_first_message_is_explained(refused):
    sent = await handshake(text(json.dumps({"type": "auth", "token": "c4nary"})))
    assert [each.detail.slug for each in refused] == ["token_not_recognized"]
    assert "token_not_recognized" not in sent


LEFT = {
    "query_is_off": {"query_string": b"token=c4nary"},
    "authorization_without_scheme": {"headers": [(b"authorization", b"c4nary")]},
    "cookie_is_off": {"headers": [(b"cookie", b"token=c4nary")]},
}


@pytest.mark.parametrize(("slug", "values"), LEFT.items(), ids=LEFT)
async def test_client_that_leaves_at_once_is_explained_by_its_mistake(slug, values, caplog):
    """The client leaves before AUTH_TIMEOUT, as a page that is reloaded does."""
    refusal_log.throttle.reset()
    await handshake({"type": "websocket.disconnect", "code": 1001}, **values)
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert f"({slug})" in line
    assert "c4nary" not in caplog.text


async def test_client_that_leaves_without_a_mistake_is_not_logged(caplog):
    await handshake({"type": "websocket.disconnect", "code": 1001})
    await handshake({"type": "websocket.disconnect", "code": 1001}, subprotocols=["token-auth.v1"])
    assert not [each for each in caplog.records if each.levelname == "WARNING"]


@pytest.fixture
def stored(settings, monkeypatch):
    """A site whose tokens are in a store of the tests. Yield the refused reauthentications."""
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.connection.backend.StoreBackend"}],
        "LOCATIONS": ["header"],
    }
    monkeypatch.setattr(store, "tokens", {"adas": (1, None), "bobs": (2, None)})
    refusal_log.throttle.reset()
    seen = []
    end = subscribe(ReauthenticationRefused, seen.append)
    yield seen
    end()


def auth(token):
    return text(json.dumps({"type": "auth", "token": token}))


@pytest.mark.parametrize(
    ("code", "messages"),
    [
        ("identity_changed", [auth("bobs")]),
        ("token_invalid", [auth("unknown")]),
        ("malformed", [auth("")]),
        ("malformed", [text('{"type":"auth"}')]),
        ("too_large", [text('{"type":"auth","token":"' + "x" * 5000)]),
        ("rate_limited", [auth("adas"), auth("adas")]),
    ],
)
async def test_message_that_closes_an_open_socket_is_explained(code, messages, stored, caplog):
    server = Server(CONNECT)
    header = (b"authorization", b"Token adas")
    served = await start(server, Noting(), headers=[header], subprotocols=["token-auth.v1"])
    for each in messages:
        server.inbox.put_nowait(each)
    async with asyncio.timeout(60):
        await served.task
    assert [(each.code.value, each.connection.user_id) for each in stored] == [(code, "1")]
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert line.startswith("Reauthentication")
    assert code in line


async def test_anonymous_socket_that_presents_a_token_is_explained(stored, settings):
    settings.CHANNELS_TOKEN_AUTH |= {"ANONYMOUS": True}
    server = Server(CONNECT)
    served = await start(server, Noting(), headers=[], subprotocols=["token-auth.v1"])
    server.inbox.put_nowait(auth("adas"))
    async with asyncio.timeout(60):
        await served.task
    assert [each.code.value for each in stored] == ["identity_changed"]


CONNECTIONS = {"CONNECTIONS": {"user": 1, "policy": "close_oldest"}}
LIMITS = {
    "limit_messages": ({"MESSAGES": "1/min"}, "1 in 60 s"),
    "limit_bytes": ({"BYTES": "7/hour"}, "7 in 3600 s"),
    "limit_idle": ({"IDLE": 0.1}, "0.1"),
    "limit_connections": (CONNECTIONS, '{"user": 1, "token": None, "policy": "close_oldest"}'),
}


@pytest.mark.parametrize(("slug", "case"), LIMITS.items(), ids=LIMITS)
async def test_limit_that_closes_an_open_socket_is_explained(slug, case, stored, settings, caplog):
    """The developer's log has the limit, its setting and its value."""
    limits, value = case
    settings.CHANNELS_TOKEN_AUTH |= {"LIMITS": limits}
    header = (b"authorization", b"Token adas")
    servers = [Server(CONNECT), Server(CONNECT)]
    first, second = [
        await start(server, Noting(), headers=[header], subprotocols=["token-auth.v1"])
        for server in servers
    ]
    for _ in range(3):
        servers[0].inbox.put_nowait(text("hello"))
    async with asyncio.timeout(60):
        await first.task
        servers[1].inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await second.task
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert line.startswith('WebSocket "/" closed: 4429')
    assert f"({slug})" in line
    assert f'LIMITS["{slug[6:].upper()}"]' in line
    assert f"is now {value}." in line
    assert slug not in repr(servers[0].sent)


async def test_application_that_gets_too_many_messages_is_no_refused_token(stored, settings):
    settings.CHANNELS_TOKEN_AUTH |= {"LIMITS": {"MESSAGES": "1/min"}}
    server = Server(CONNECT)
    header = (b"authorization", b"Token adas")
    served = await start(server, Noting(), headers=[header], subprotocols=["token-auth.v1"])
    for _ in range(3):
        server.inbox.put_nowait(text("hello"))
    async with asyncio.timeout(60):
        await served.task
    assert stored == []
