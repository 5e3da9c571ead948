"""How long sockets took to close, measured from the commit of their revocation."""

import asyncio
import time

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity, unavailable
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.bulk_close import BulkClose
from channels_token_auth.node.drain_state import DrainState
from channels_token_auth.node.node import here
from channels_token_auth.node.registry import Registry
from channels_token_auth.node.sweep import Sweep
from channels_token_auth.observability.events import SocketsClosed, subscribe
from tests.node.members import FakeMember


class Socket:
    """A socket that any revocation of its user closes."""

    user_id, user_kind, token_id, backend, issuer, issued_at, verified_at = ("7", *[None] * 6)
    address, connection_id, labels = None, "c", {}
    is_closed = False

    def close(self, code):
        self.is_closed = True


class Route:
    """Answers for every token what a test has set; by default that it is valid."""

    answer = None

    def lane_of(self, backend):
        return backend

    async def revalidate(self, grants):
        return [
            self.answer or Identity(user=None, authentication=each.authentication)
            for each in grants
        ]


@pytest.fixture
def seen():
    events = []
    end = subscribe(SocketsClosed, events.append)
    yield events
    end()


async def test_seconds_are_counted_from_the_publication(seen):
    node, socket = here(), Socket()
    node.registry.add(socket)
    revocation = Revocation(target=Target(user_id="7"), code=CloseReason.TOKEN_REVOKED)
    node.revoke([revocation], published_at=time.time() - 2)
    await asyncio.sleep(0)
    node.registry.discard(socket)
    assert socket.is_closed
    assert [(each.cause, each.count) for each in seen] == [("revocation", 1)]
    assert 2 <= seen[0].seconds < 60


async def test_event_follows_the_beginning_of_the_close(seen):
    """Closes are sent by tasks: a time that is taken before them would be too short."""
    order = []

    class Slow(Socket):
        def close(self, code):
            self.task = asyncio.create_task(self.send())

        async def send(self):
            order.append(len(seen))

    BulkClose().close([Slow()], CloseReason.TOKEN_REVOKED, cause="revocation")
    await asyncio.sleep(0)
    assert (order, len(seen)) == ([0], 1)


async def test_each_slice_of_many_has_its_own_event(seen, monkeypatch):
    monkeypatch.setattr("channels_token_auth.node.bulk_close.SLICE", 2)
    now = time.time()
    sockets = [Socket() for _ in range(5)]
    BulkClose().close(sockets, CloseReason.TOKEN_REVOKED, cause="revocation", since=now)
    while sockets:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [each.count for each in seen] == [2, 2, 1]
    assert seen[0].seconds <= seen[1].seconds <= seen[2].seconds


async def test_closes_of_a_drain_have_no_time(seen):
    sockets = {Socket(), Socket()}
    DrainState("node", sockets, BulkClose()).request(0, None, question=None)
    while not seen:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0)
    sockets.clear()
    assert {(each.cause, each.seconds, each.count) for each in seen} == {("drain", None, 2)}


async def test_socket_that_a_sweep_closes_counts_from_the_sweep_before(seen):
    registry, route = Registry(), Route()
    sweep = Sweep("node", registry, BulkClose(), before=None, interval=60, grace=None)
    registry.add(FakeMember(route=route))
    await sweep.once()
    await asyncio.sleep(0.05)
    route.answer = unavailable()
    await sweep.once()  # without an answer: not the last time that the token was known to be valid
    route.answer = TokenAuthError(CloseReason.TOKEN_REVOKED)
    await sweep.once()
    await asyncio.sleep(0)
    assert [(each.cause, each.count) for each in seen] == [("sweep", 1)]
    assert 0.05 <= seen[0].seconds < 60
