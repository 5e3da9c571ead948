import asyncio
from contextlib import ExitStack
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.authtoken.models import Token

from channels_token_auth import signals
from channels_token_auth.cluster import layer
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.testing import frozen_clock
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.lanes import lanes
from tests.connection.server import ACCEPT, CONNECT, Server, scope
from tests.connection.sockets import open_sockets


@pytest.fixture(autouse=True)
def site(settings, monkeypatch, transactional_db):
    """A site that verifies in the library's own thread, as in production."""
    monkeypatch.setattr(test_mode, "forced", False)
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol", "first_message"],
    }
    yield settings
    cache.clear()
    assert not open_sockets()


@pytest.fixture(autouse=True)
def _no_outage(monkeypatch):
    """An outage that another test began would not be logged again."""
    layer.outages.reset()


@pytest.fixture(autouse=True)
def _no_connection_left(transactional_db):
    """Close those of the lanes: no later test may find one."""
    yield
    lanes.end()


@pytest.fixture
def time():
    """The clock of sockets, which stands still until a test moves it."""
    with frozen_clock() as clock:
        yield clock


@pytest.fixture
def ada():
    return User.objects.create_user("ada", password="pw")


@pytest.fixture
def bob():
    return User.objects.create_user("bob", password="pw")


@pytest.fixture
def token(ada):
    return Token.objects.create(user=ada)


@pytest.fixture
def told():
    """All that the signals say, as (name, keyword arguments)."""
    told = []
    with ExitStack() as stack:
        for name in signals.__all__:
            signal, receive = getattr(signals, name), partial(_note, told, name)
            signal.connect(receive)
            stack.callback(signal.disconnect, receive)
        yield told


def _note(told, name, signal, sender, **given):
    told.append((name, given))


@pytest.fixture
async def sockets():
    """Opens sockets; those still open are closed at the end."""
    opened = []
    middleware = TokenAuthMiddleware(accept)

    async def open_(key, **values):
        socket = Socket(key, **values)
        opened.append(socket)
        await socket.open(middleware)
        return socket

    yield open_
    for socket in opened:
        await socket.leave()


class Socket:
    """A client's socket on a server in memory."""

    def __init__(self, key, *, scheme="Token", cookie=None, more=(), **values):
        headers = [(b"authorization", f"{scheme} {key}".encode())] if key else []
        if cookie:
            headers = [(b"cookie", f"{cookie}={key}".encode()), (b"origin", b"http://testserver")]
        self.scope = scope(headers=[*headers, *more], **values)
        self.server = Server(CONNECT)

    async def open(self, middleware):
        self.task = asyncio.create_task(
            middleware(self.scope, self.server.receive, self.server.send)
        )
        await self.eventually(lambda: self.server.sent)

    @property
    def code(self):
        """Return the code of its close; None while it is open."""
        closes = [each["code"] for each in self.server.sent if each["type"] == "websocket.close"]
        return closes[0] if closes else None

    async def closes(self):
        await self.eventually(lambda: self.code)
        return self.code

    async def stays(self):
        await asyncio.sleep(0.1)
        return self.code is None

    async def eventually(self, condition):
        async with asyncio.timeout(60):
            while not condition() and not self.task.done():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.005)
        await asyncio.sleep(0)  # events of this turn of the loop are emitted after it

    async def leave(self):
        self.server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


async def accept(scope, receive, send):
    await receive()
    await send(ACCEPT)
    while (await receive())["type"] != "websocket.disconnect":
        pass
