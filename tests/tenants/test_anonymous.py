"""Clients without a credential, where the site has tenants: they need a host of a tenant."""

import asyncio
import threading

import pytest

from channels_token_auth import CloseReason
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from tests.connection.server import ACCEPT, CONNECT, Server, scope
from tests.tenants.fakes import FakeTenants

GOODBYE = {"type": "websocket.disconnect", "code": 1000}


class ByPath(FakeTenants):
    """Finds tenants by the path of a handshake."""

    def of_scope(self, scope):
        if scope["path"] == "/broken/":
            raise RuntimeError("a bug of the site's")
        return {"/acme/": "acme"}.get(scope["path"])


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "TENANTS": f"{__name__}.ByPath",
        "ANONYMOUS": True,
        "REFUSAL": "close",
    }
    return settings


async def serve(path, *events, **values):
    """Return the messages that the client gets, and the users that the application finds."""
    users = []

    async def application(scope, receive, send):
        users.append(scope["user"])
        await receive()
        await send(ACCEPT)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    server = Server(CONNECT, *events)
    async with asyncio.timeout(60):
        await TokenAuthMiddleware(application)(
            scope(path=path, **values), server.receive, server.send
        )
    return server.sent, users


async def test_client_of_a_tenants_host_is_admitted():
    sent, (user,) = await serve("/acme/", GOODBYE)
    assert sent == [ACCEPT]
    assert user.is_anonymous


@pytest.mark.parametrize(("path", "code"), [("/nowhere/", 4401), ("/broken/", 4503)])
async def test_client_of_another_host_is_refused(path, code):
    sent, users = await serve(path)
    assert sent[-1]["code"] == code
    assert users == []
    assert not here().sockets


async def test_client_of_an_unknown_host_has_guessed_no_credential(settings):
    settings.CHANNELS_TOKEN_AUTH |= {"LIMITS": {"FAILURES": "1/min"}}
    client = ("203.0.113.1", 4711)
    answers = [await serve("/nowhere/", client=client) for _ in range(3)]
    assert [sent[-1]["code"] for sent, _ in answers] == [4401] * 3


async def test_client_that_is_closed_during_the_lookup_is_not_admitted(monkeypatch):
    loop, node, is_closed = asyncio.get_running_loop(), here(), threading.Event()

    def close_all():
        for each in [*node.sockets]:
            each.close(CloseReason.UNAVAILABLE)
        is_closed.set()

    def of_scope(_, scope):
        loop.call_soon_threadsafe(close_all)
        assert is_closed.wait(60)
        return "acme"

    monkeypatch.setattr(ByPath, "of_scope", of_scope)
    sent, users = await serve("/acme/")
    assert [each["code"] for each in sent if each["type"] == "websocket.close"] == [4503]
    assert users == []
    assert not node.sockets
    assert len(node.waiting) == 0
