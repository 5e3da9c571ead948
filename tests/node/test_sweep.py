"""A sweep: whom it asks about, what it does on each answer, and how it goes on when none comes."""

import asyncio
import logging
from dataclasses import replace

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity, unavailable
from channels_token_auth.node import store_outages
from channels_token_auth.node.bulk_close import BulkClose
from channels_token_auth.node.registry import Registry
from channels_token_auth.node.sweep import BATCH, Sweep
from channels_token_auth.observability.events import (
    OutageBegan,
    OutageEnded,
    SweepFailed,
    SweepFinished,
    subscribe,
)
from tests.node.members import FakeMember

INTERVAL = 60.0


class Route:
    """Answers what a test has set for a token; by default that it is valid."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.meanwhile = lambda: None

    def lane_of(self, backend):
        return "remote" if backend == "slow" else "rows"

    async def revalidate(self, grants):
        self.asked.append([each.authentication.token_id for each in grants])
        self.meanwhile()
        return [self.answers.get(each.authentication.token_id, _valid(each)) for each in grants]


def _valid(grant):
    return Identity(user=None, authentication=grant.authentication)


def Socket(route, token_id="t", backend="fake", user_pk=1, **values):  # noqa: N802 - makes one
    return FakeMember(user_pk, token_id, backend=backend, route=route, **values)


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(store_outages, "time", clock)
    return clock


@pytest.fixture
async def sweep():
    return new_sweep()


def new_sweep(before=None, *, interval=INTERVAL, grace=None):
    registry = Registry()
    sweep = Sweep("node", registry, BulkClose(), before=before, interval=interval, grace=grace)
    sweep.sockets = registry
    return sweep


def fill(sweep, *sockets):
    for each in list(sweep.sockets):
        sweep.sockets.discard(each)
    for each in sockets:
        sweep.sockets.add(each)


async def once(sweep, *sockets):
    fill(sweep, *sockets)
    await sweep.once()


@pytest.mark.parametrize(
    "code",
    [
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
        CloseReason.USER_INACTIVE,
        CloseReason.FORBIDDEN,
    ],
)
async def test_token_that_has_ended_closes_its_socket_with_the_reason(sweep, code):
    route = Route(gone=TokenAuthError(code))
    ended, other = Socket(route, "gone"), Socket(route)
    await once(sweep, ended, other)
    assert (ended.code, other.code) == (code, None)


async def test_valid_token_with_other_scopes_is_followed(sweep):
    route = Route()
    socket = Socket(route)
    fewer = replace(socket.grant.authentication, scopes=frozenset({"read"}))
    route.answers["t"] = identity = Identity(user=None, authentication=fewer)
    await once(sweep, socket)
    assert socket.followed == [identity]
    assert socket.grant.authentication.scopes == {"read"}


async def test_many_are_asked_about_in_batches(sweep):
    route = Route()
    await once(sweep, *(Socket(route, f"t{number}") for number in range(BATCH + 1)))
    assert [len(asked) for asked in route.asked] == [BATCH, 1]


async def test_service_that_does_not_answer_delays_no_other_ones_sweep(sweep):
    """Revocation keeps its bound, however many tokens of the slow service are to be asked about."""
    hanging = asyncio.Event()

    class Hanging(Route):
        async def revalidate(self, grants):
            if grants[0].authentication.backend == "slow":
                await hanging.wait()
            return await super().revalidate(grants)

    route = Hanging(gone=TokenAuthError(CloseReason.TOKEN_REVOKED))
    ended = Socket(route, "gone")
    fill(sweep, *(Socket(route, f"t{n}", "slow") for n in range(2 * BATCH)), ended)
    sweeping = asyncio.create_task(sweep.once())
    async with asyncio.timeout(60):
        while ended.code is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
    assert ended.code is CloseReason.TOKEN_REVOKED
    assert not sweeping.done()
    hanging.set()
    await sweeping
    assert sorted(map(len, route.asked)) == [1, BATCH, BATCH]


async def test_sockets_of_one_token_cost_one_question(sweep):
    route = Route(t=TokenAuthError(CloseReason.TOKEN_REVOKED))
    sockets = [Socket(route) for _ in range(3)]
    await once(sweep, *sockets)
    assert route.asked == [["t"]]
    assert {socket.code for socket in sockets} == {CloseReason.TOKEN_REVOKED}


async def test_same_id_of_another_user_or_backend_is_another_token(sweep):
    route = Route()
    await once(sweep, Socket(route), Socket(route, user_pk=2), Socket(route, backend="other"))
    assert route.asked == [["t", "t", "t"]]


async def test_same_id_of_another_issuer_is_another_token(sweep):
    route = Route()
    await once(sweep, *(Socket(route, issuer=each) for each in ("https://a", "https://b", None)))
    assert route.asked == [["t", "t", "t"]]


async def test_each_route_asks_its_own_backends(sweep):
    doors = Route(), Route()
    await once(sweep, *(Socket(route) for route in doors))
    assert [route.asked for route in doors] == [[["t"]], [["t"]]]


async def test_anonymous_sockets_are_nobody_to_ask_about(sweep):
    route = Route()
    anonymous = Socket(route, None)
    await once(sweep, anonymous, Socket(route))
    assert route.asked == [["t"]]
    assert anonymous.code is None


async def test_socket_that_has_another_token_by_now_is_left_alone(sweep):
    route = Route(old=TokenAuthError(CloseReason.TOKEN_REVOKED))
    socket = Socket(route, "old")
    route.meanwhile = lambda: socket.authenticate("new")
    await once(sweep, socket)
    assert socket.code is None


async def test_socket_that_has_left_meanwhile_is_left_alone(sweep):
    route = Route(old=TokenAuthError(CloseReason.TOKEN_REVOKED))
    socket = Socket(route, "old")
    route.meanwhile = socket.leave
    await once(sweep, socket)
    assert socket.code is None


# -- A store that is away


async def test_store_that_is_away_keeps_its_sockets_and_is_logged_once(sweep, caplog):
    socket = Socket(Route(t=unavailable()))
    for _ in range(3):
        await once(sweep, socket)
    assert socket.code is None
    assert sweep.failures == 3
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


async def test_store_that_is_back_is_logged_once_and_not_counted_any_more(sweep, caplog):
    route = Route(t=unavailable())
    socket = Socket(route)
    await once(sweep, socket)
    caplog.clear()
    route.answers.clear()
    for _ in range(2):
        await once(sweep, socket)
    assert sweep.failures == 0
    assert [each.levelno for each in caplog.records] == [logging.WARNING]


async def test_store_whose_sockets_have_all_left_is_not_called_back(sweep, caplog):
    await once(sweep, Socket(Route(t=unavailable())))
    caplog.clear()
    await once(sweep)
    assert sweep.failures == 0
    assert caplog.messages == []


async def test_each_pause_is_twice_the_last_until_the_interval_is_reached(sweep):
    assert sweep.pause() == INTERVAL
    pauses = []
    for _ in range(8):
        await once(sweep, Socket(Route(t=unavailable())))
        pauses.append(sweep.pause())
    assert pauses == [1, 2, 4, 8, 16, 32, INTERVAL, INTERVAL]


async def test_outage_of_weeks_still_has_a_pause(sweep):
    sweep.failures = 10**6
    assert sweep.pause() == INTERVAL


async def test_grace_bounds_the_pause_too():
    sweep = new_sweep(grace=5.0)
    sweep.failures = 10
    assert sweep.pause() == 5.0


async def test_store_that_is_away_for_longer_than_the_grace_closes_with_unavailable(clock):
    sweep, socket = new_sweep(grace=30.0), Socket(Route(t=unavailable()))
    await once(sweep, socket)
    clock.now = 29.0
    await once(sweep, socket)
    assert socket.code is None
    clock.now = 30.0
    await once(sweep, socket)
    assert socket.code is CloseReason.UNAVAILABLE


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
async def test_one_token_without_an_answer_has_no_more_than_the_grace_either(order, clock):
    sweep, route = new_sweep(grace=30.0), Route(bad=unavailable())
    sockets = {token: Socket(route, token) for token in order}
    for clock.now in (0.0, 15.0, 30.0):
        await once(sweep, *sockets.values())
    assert sockets["bad"].code is CloseReason.UNAVAILABLE
    assert sockets["good"].code is None


async def test_grace_begins_anew_with_each_outage(clock):
    sweep, route = new_sweep(grace=30.0), Route(t=unavailable())
    socket = Socket(route)
    await once(sweep, socket)
    clock.now = 20.0
    route.answers.clear()
    await once(sweep, socket)
    clock.now = 40.0
    route.answers["t"] = unavailable()
    await once(sweep, socket)
    assert socket.code is None


async def test_store_of_one_backend_says_nothing_about_anothers(clock):
    sweep, route = new_sweep(grace=30.0), Route(bad=unavailable())
    bad, good = Socket(route, "bad", "broken"), Socket(route, "good", "sound")
    for clock.now in (0.0, 40.0):
        await once(sweep, bad, good)
    assert (bad.code, good.code) == (CloseReason.UNAVAILABLE, None)


# -- Again and again


async def test_nobody_connected_needs_no_timer(sweep):
    sweep.hurry()
    assert not sweep.is_armed
    assert not sweep.is_running


async def test_sweep_is_armed_once():
    route = Route()
    sweep = new_sweep(interval=0.02)
    fill(sweep, Socket(route))
    for _ in range(3):
        sweep.arm()
    await until(lambda: route.asked)
    assert len(route.asked) == 1
    fill(sweep)


async def test_sweeps_follow_one_another():
    route = Route()
    sweep = new_sweep(interval=0.01)
    fill(sweep, Socket(route))
    sweep.arm()
    await until(lambda: len(route.asked) >= 3)
    fill(sweep)


async def test_hurry_sweeps_now_and_not_twice():
    route = Route()
    sweep = new_sweep()
    fill(sweep, Socket(route))
    sweep.arm()
    sweep.hurry()
    sweep.hurry()
    await until(lambda: not sweep.is_running)
    assert route.asked == [["t"]]


async def test_sweep_that_fails_is_logged_and_repeated(caplog):
    class Broken(Route):
        async def revalidate(self, held):
            raise RuntimeError("broken")

    sweep = new_sweep()
    fill(sweep, Socket(Broken()))
    sweep.hurry()
    await until(lambda: sweep.is_armed)
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert sweep.failures == 1


async def test_what_else_is_to_be_done_is_done_each_time():
    done = []

    async def before():
        done.append(1)

    sweep = new_sweep(before)
    sweep.hurry()
    await until(lambda: done and sweep.is_armed)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_sockets_the_one_with_a_handle_is_asked_about(first):
    route = Route()
    handles = []

    async def revalidate(grants):
        handles.extend(each.handle for each in grants)
        return [_valid(each) for each in grants]

    route.revalidate = revalidate
    sockets = [Socket(route, handle="its own" if i == first else None) for i in range(2)]
    await once(new_sweep(), *sockets)
    assert handles == ["its own"]
    assert all(socket.followed for socket in sockets)


async def test_sockets_of_one_token_are_closed_in_slices(sweep, monkeypatch):
    """Applications end after the last of them: see `BulkClose`."""
    monkeypatch.setattr("channels_token_auth.node.bulk_close.SLICE", 2)
    sockets = [Socket(Route(t=TokenAuthError(CloseReason.TOKEN_REVOKED))) for _ in range(1)]
    sockets += [Socket(sockets[0].route) for _ in range(4)]
    await once(sweep, *sockets)
    assert [each.code for each in sockets].count(CloseReason.TOKEN_REVOKED) < 5
    await until(lambda: all(each.code for each in sockets))


# -- Events


@pytest.fixture
def events():
    seen = []
    kinds = (OutageBegan, OutageEnded, SweepFailed, SweepFinished)
    ends = [subscribe(kind, seen.append) for kind in kinds]
    yield seen
    for end in ends:
        end()


async def test_sweep_emits_what_it_did(sweep, events):
    route = Route(gone=TokenAuthError(CloseReason.TOKEN_REVOKED))
    await once(sweep, Socket(route, "gone"), Socket(route), Socket(route))
    (event,) = events
    assert (event.node, event.tokens, event.closed, event.unavailable) == ("node", 2, 1, [])


async def test_outage_is_emitted_when_it_begins_and_when_it_ends(sweep, events):
    route = Route(t=unavailable())
    socket = Socket(route)
    for _ in range(2):
        await once(sweep, socket)
    route.answers.clear()
    await once(sweep, socket)
    kinds = [type(each) for each in events]
    assert kinds == [OutageBegan, SweepFinished, SweepFinished, OutageEnded, SweepFinished]
    assert {each.name for each in events if not isinstance(each, SweepFinished)} == {"fake"}


async def test_outage_of_a_store_without_sockets_ends_too(sweep, events):
    await once(sweep, Socket(Route(t=unavailable())))
    await once(sweep)
    assert OutageEnded(service="store", name="fake") in events


async def test_failed_sweep_is_emitted(sweep, events):
    class Broken(Route):
        async def revalidate(self, grants):
            raise RuntimeError("broken")

    fill(sweep, Socket(Broken()))
    sweep.hurry()
    await until(lambda: sweep.is_armed)
    assert events == [SweepFailed(node="node")]


async def test_outage_ends_with_the_last_socket_whose_token_could_be_checked():
    """No sweep runs on a node without sockets, so that none would find the store available."""
    sweep, socket = new_sweep(interval=0.01), Socket(Route(t=unavailable()))
    ended = asyncio.Event()
    end = subscribe(OutageEnded, lambda _: ended.set())
    try:
        await once(sweep, socket)
        assert sweep.failures == 1
        fill(sweep)
        sweep.hurry()
        async with asyncio.timeout(60):
            await ended.wait()
        assert sweep.failures == 0
    finally:
        end()
