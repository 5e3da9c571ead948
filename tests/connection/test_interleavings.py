"""A revocation before, between and after every step of a handshake: missed by none of them.

The steps of a verification are a table, so are those of a revocation; the tests take every order
that both allow. A second socket comes with the same token at every moment of that: it waits for the
same verdict, takes the one that is remembered, or asks anew.
"""

import asyncio
import json
import threading
from itertools import permutations

import pytest
from django.core.cache import cache

from channels_token_auth.cluster.pubsub import publish
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.authenticator import site_authenticator
from tests.connection.gated import gated, identity
from tests.connection.server import ACCEPT, CONNECT, Server, scope, sends, text
from tests.connection.sockets import open_sockets

VERIFICATION = ("start", "read", "land", "admit")
"""Steps: it starts, the store is read, the answer travels, the socket is admitted or refused."""

REVOCATION = ("delete", "say")
"""Steps: the row is deleted, then the message is sent to all nodes."""

TARGETS = {
    "token": {"token_id": Secret("T").digest},
    "user": {"user_id": "1"},
    "user but another token": {"user_id": "1", "except_token_id": Secret("other").digest},
    "user's old ones": {"user_id": "1", "issued_before": 1e12},
}


def orders(*sequences):
    """Every order of the steps that leaves each sequence in its own."""
    steps = [step for sequence in sequences for step in sequence]
    return [
        order
        for order in permutations(steps)
        if all(tuple(step for step in order if step in each) == each for each in sequences)
    ]


ALL_ORDERS = orders(VERIFICATION, REVOCATION)
ALL_ORDERS_OF_TWO = orders(VERIFICATION, REVOCATION, ("join",))


@pytest.fixture(autouse=True)
def site(settings, monkeypatch):
    monkeypatch.setattr(test_mode, "forced", False)  # verify in the library's own thread
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.connection.gated.GatedBackend"}],
        "LOCATIONS": ["header", "subprotocol", "first_message", "ticket"],
        "REFUSAL": "close",
    }
    gated.reset()
    gated.tokens = {"T": 1, "old": 1, "bob": 2}
    yield
    cache.clear()
    assert not open_sockets()


@pytest.fixture
def middleware():
    return TokenAuthMiddleware(_application)


async def _application(scope, receive, send):
    """Says that it was started."""
    await receive()
    await send(ACCEPT)
    await send(sends("in"))
    while (await receive())["type"] != "websocket.disconnect":
        pass


class Client:
    """Presents its token when it is told to, in one of the ways below."""

    def __init__(self, middleware):
        self._middleware = middleware
        self.server = Server(CONNECT)
        self.task = None

    async def prepare(self):
        """Come as far as the token."""

    def present(self, token="T"):
        """Start the verification."""

    @property
    def is_in(self):
        return sends("in") in self.server.sent

    @property
    def code(self):
        closes = [each["code"] for each in self.server.sent if each["type"] == "websocket.close"]
        return closes[0] if closes else None

    @property
    def is_decided(self):
        return self.is_in or self.code is not None

    def open(self, **values):
        served = self._middleware(scope(**values), self.server.receive, self.server.send)
        self.task = asyncio.create_task(served)

    def say(self, token):
        self.server.inbox.put_nowait(text(json.dumps({"type": "auth", "token": token})))

    def says(self, kind):
        return sum(f'"{kind}"' in each.get("text", "") for each in self.server.sent)

    async def leave(self):
        self.server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


class ByHeader(Client):
    def present(self, token="T"):
        self.open(headers=[(b"authorization", f"Token {token}".encode())])


class BySubprotocol(Client):
    def present(self, token="T"):
        offered = ["token-auth.v1", f"bearer.{token}"]
        line = (b"sec-websocket-protocol", ", ".join(offered).encode())
        self.open(headers=[line], subprotocols=offered)


class ByTicket(Client):
    async def prepare(self):
        self.ticket = site_authenticator().tickets.issue(identity("T", 1), origin=None)

    def present(self, token="T"):
        self.open(query_string=f"ticket={self.ticket}".encode())


class ByFirstMessage(Client):
    async def prepare(self):
        self.open()
        await until(lambda: self.says("auth.required"))

    def present(self, token="T"):
        self.say(token)


class ByReauthentication(Client):
    """Is in already, by another token of the same user."""

    async def prepare(self):
        self.open()
        await until(lambda: self.says("auth.required"))
        self.say("old")
        await until(lambda: super(ByReauthentication, self).is_in)

    def present(self, token="T"):
        self.say(token)

    @property
    def is_in(self):
        return self.says("auth.ok") == 2


WAYS = [ByHeader, BySubprotocol, ByTicket, ByFirstMessage, ByReauthentication]
CASES = [(way, "token") for way in WAYS]
CASES += [(ByHeader, target) for target in TARGETS if target != "token"]


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


class Play:
    """Takes the steps one by one. Between "land" and "admit" the event loop has no turn: what
    happens there stands in its queue behind the verdict, and ahead of the socket that waits for it.
    """

    def __init__(self, first, second, target, monkeypatch):
        self.first, self.second = first, second
        self.target = Target(**target)
        self.is_landing = False
        self._landed = threading.Event()
        loop = asyncio.get_running_loop()
        self._call_soon = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", self._note)
        gated.stop_next()
        self.before, self.after = gated.before, gated.after

    def _note(self, *arguments, **values):
        handle = self._call_soon(*arguments, **values)
        if threading.current_thread() is not threading.main_thread():
            self._landed.set()
        return handle

    async def take(self, order):
        try:
            for step in order:
                if step in VERIFICATION and self.first.code is not None:
                    return  # a socket that is closed asks nothing any more
                await getattr(self, step)()
                if not self.is_landing:
                    await asyncio.sleep(0.002)
        finally:  # the thread that verifies must not stay at a gate
            self.before.open()
            self.after.open()

    async def start(self):
        self.first.present()
        if not self.is_landing:
            await until(lambda: self.before.reached() or self.first.code is not None)

    async def join(self):
        self.second.present()

    async def read(self):
        self.before.open()
        await until(lambda: self.after.reached() or self.first.code is not None)

    async def land(self):
        self._landed.clear()
        self.after.open()
        assert self._landed.wait(60)
        self.is_landing = True

    async def admit(self):
        self.is_landing = False
        await until(lambda: self.first.is_decided)

    async def delete(self):
        del gated.tokens["T"]

    async def say(self):
        revocation = Revocation(target=self.target, code=CloseReason.TOKEN_REVOKED)
        publish({"kind": "revoke", "revocations": [revocation.to_message()]})


@pytest.mark.parametrize(("way", "target"), CASES)
@pytest.mark.parametrize("order", ALL_ORDERS, ids="-".join)
@pytest.mark.asvs("15.4.2")
async def test_no_order_of_steps_lets_a_revoked_token_stay(
    order, way, target, middleware, monkeypatch
):
    first, bystander = way(middleware), ByHeader(middleware)
    await first.prepare()
    bystander.present("bob")
    await until(lambda: bystander.is_in)
    await Play(first, None, TARGETS[target], monkeypatch).take(order)
    await until(lambda: first.code)
    assert bystander.code is None
    await first.leave()
    await bystander.leave()


@pytest.mark.parametrize("way", [ByHeader, ByFirstMessage])
@pytest.mark.parametrize("order", ALL_ORDERS_OF_TWO, ids="-".join)
async def test_no_order_of_steps_lets_a_second_socket_stay_or_come_later(
    order, way, middleware, monkeypatch
):
    sockets = [way(middleware), way(middleware), ByHeader(middleware)]
    first, second, late = sockets
    await first.prepare()
    await second.prepare()
    await Play(first, second, TARGETS["token"], monkeypatch).take(order)
    late.present()
    for socket in sockets:
        await until(lambda socket=socket: socket.code)
        await socket.leave()
    assert not late.is_in


@pytest.mark.parametrize("order", orders(VERIFICATION, ("say",)), ids="-".join)
async def test_old_token_closes_a_socket_until_it_has_another(order, middleware, monkeypatch):
    socket = ByReauthentication(middleware)
    await socket.prepare()
    play = Play(socket, None, {"token_id": Secret("old").digest}, monkeypatch)
    await play.take(order)
    has_another = order.index("say") > order.index("admit")
    assert has_another == (socket.code is None)
    await socket.leave()
