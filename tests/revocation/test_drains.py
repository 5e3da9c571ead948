"""A drain from both sides: what a node does, and who watches it. Other nodes are played."""

import asyncio

from channels_token_auth.cluster import drain
from channels_token_auth.cluster.drain import Drain, adrain
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.node.bulk_close import BulkClose
from channels_token_auth.node.drain_state import DrainState
from channels_token_auth.node.node import here
from tests.connection.turns import rest


class Fleet:
    """Sockets of a node that stay until they are let go, and what it reported."""

    def __init__(self, number, *, stubborn=0):
        self.closed = []
        self.sockets = set()
        self.reports = []
        self.sockets |= {Socket(self, stays=i < stubborn) for i in range(number)}
        self.draining = DrainState("a", self.sockets, BulkClose())

    async def reply(self, report):
        self.reports.append(report["left"])

    async def empties(self):
        async with asyncio.timeout(60):
            while self.sockets or not self.reports or self.reports[-1]:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)


class Socket:
    def __init__(self, fleet, *, stays):
        self.fleet, self.stays = fleet, stays

    def close(self, code):
        self.fleet.closed.append((self, code))
        if not self.stays:
            self.fleet.sockets.discard(self)


async def test_sockets_are_sent_away_in_equal_groups(monkeypatch):
    groups = []
    fleet = Fleet(10)

    async def tick(_):
        groups.append(len(fleet.closed))
        await yield_()

    yield_ = _patch_sleep(monkeypatch, tick)
    fleet.draining.request(0.5, fleet.reply, question=None)
    await fleet.empties()
    assert groups[:5] == [2, 4, 6, 8, 10]
    assert {code for _, code in fleet.closed} == {CloseReason.UNAVAILABLE}


def _patch_sleep(monkeypatch, tick):
    sleep = asyncio.sleep
    monkeypatch.setattr(
        "channels_token_auth.node.drain_state.asyncio.sleep",
        lambda seconds: tick(seconds) if seconds == 0.1 else sleep(seconds),
    )
    return lambda: sleep(0)


async def test_one_that_lingers_takes_no_others_turn():
    """Else all others would be closed together, at the end."""
    fleet = Fleet(4, stubborn=2)
    fleet.draining.request(0.4, fleet.reply, question=None)
    async with asyncio.timeout(60):
        while len(fleet.closed) < 4:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert len(set(fleet.closed)) == 4
    fleet.sockets.clear()
    await fleet.empties()


async def test_foreign_page_receives_its_usual_refusal_during_a_drain(sockets, token, site):
    """Else it could observe deployments of a site that never serves it."""
    site.ALLOWED_HOSTS = ["example.com"]
    page = [(b"origin", b"https://evil.test"), (b"sec-websocket-protocol", b"token-auth.v1")]
    before = await sockets(None, more=page)
    own = [(b"origin", b"https://example.com")]
    here().drain.request(0, None, question=None)
    assert (await sockets(None, more=page)).server.sent == before.server.sent
    assert (await sockets(token.key, more=own)).code == 4503


async def test_empty_node_says_so_at_once():
    fleet = Fleet(0)
    fleet.draining.request(30, fleet.reply, question=None)
    async with asyncio.timeout(60):
        while not fleet.reports:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
    assert fleet.reports == [0]
    assert fleet.draining.is_on


async def test_drain_goes_on_though_its_reports_do_not_arrive():
    async def fail(report):
        await asyncio.get_running_loop().create_future()

    fleet = Fleet(3)
    fleet.draining.request(0.2, fail, question=None)
    async with asyncio.timeout(60):
        while fleet.sockets:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert len(fleet.closed) == 3


async def test_nobody_has_to_listen():
    fleet = Fleet(1)
    fleet.draining.request(0, None, question=None)
    while fleet.sockets:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)
    assert fleet.closed


async def test_repeated_request_only_gets_another_report():
    """Else a message that arrives twice would begin the drain anew."""
    fleet = Fleet(2, stubborn=2)
    fleet.draining.request(0, fleet.reply, question="q")
    async with asyncio.timeout(60):
        while len(fleet.closed) < 2:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
    for over in (0, None):
        fleet.draining.request(over, fleet.reply, question="q")
        await asyncio.sleep(0)
    assert fleet.draining.is_on
    fleet.sockets.clear()
    await fleet.empties()
    assert len(fleet.closed) == 2
    assert fleet.reports[:3] == [2, 2, 2]


async def test_drain_that_is_undone_closes_no_more_sockets():
    fleet = Fleet(2, stubborn=2)
    fleet.draining.request(60, fleet.reply, question=None)
    fleet.draining.request(None, fleet.reply, question=None)
    assert not fleet.draining.is_on
    await rest(0.2)
    assert len(fleet.closed) <= 1
    assert fleet.reports[-1] == 2


def test_drain_is_done_when_all_who_answered_are_empty():
    watched = Drain(["a", "b"], [], is_undone=False)
    watched.note({"node": "a", "left": 3})
    watched.note({"node": "b", "left": 0})
    assert not watched.is_over
    watched.note({"node": "a", "left": 0})
    assert watched.is_over
    assert watched.is_done


def test_taken_back_drain_is_done_though_sockets_are_left():
    watched = Drain(["a"], [], is_undone=True)
    assert not watched.is_over
    watched.note({"node": "a", "left": 3})
    assert watched.is_done


def test_node_that_did_not_answer_makes_it_incomplete():
    watched = Drain([], ["b"], is_undone=False)
    assert not watched.is_done
    watched.note({"node": "a", "left": 0})
    assert not watched.is_done
    watched.note({"node": "b", "left": 0})
    assert watched.is_done


def test_node_that_falls_silent_is_given_up(monkeypatch):
    monkeypatch.setattr(drain, "PATIENCE", 0.0)
    watched = Drain(["a"], [], is_undone=False)
    watched.note({"node": "a", "left": 3})
    watched.give_up()
    assert watched.is_over
    assert (watched.silent, watched.left) == ({"a"}, {"a": 3})


def test_nobody_who_answers_is_not_done():
    assert not Drain([], [], is_undone=False).is_done


async def test_watching_ends_though_an_application_does_not(sockets, token, monkeypatch):
    await sockets(token.key)
    here().sockets.add(stuck := Socket(Fleet(0), stays=True))
    for seconds in (0.3, 3, 30):  # a slow machine needs longer for the first report
        monkeypatch.setattr(drain, "LINGER", seconds)
        if (watched := await adrain(0)).left:
            break
    here().sockets.discard(stuck)
    assert watched.left[here().name] > 0
    assert not watched.is_done


async def test_silent_node_is_waited_for_in_vain(sockets, token, monkeypatch):
    monkeypatch.setattr(drain, "PATIENCE", 0.5)
    await sockets(token.key)
    monkeypatch.setattr(here().drain, "request", lambda *_, **__: None)
    watched = await adrain(0)
    assert watched.silent == {here().name}
