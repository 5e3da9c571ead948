"""A sweep: whom it asks about, what it does on each answer, and how it goes on when none comes."""

import asyncio
import logging
from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity, unavailable
from channels_token_auth.node import sweep as module
from channels_token_auth.node.sweep import BATCH, Sweep

INTERVAL = 60.0


class Route:
    """Answers what it was told of a token; by default that it stands."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.meanwhile = lambda: None

    async def revalidate(self, held):
        self.asked.append([each.authentication.token_id for each in held])
        self.meanwhile()
        return [self.answers.get(each.authentication.token_id, stands(each)) for each in held]


class Socket:
    def __init__(self, route, token_id="t", backend="fake", user_pk=1):
        self.route = route
        self.grant = token_id and held(token_id, backend, user_pk)
        self.code = None
        self.followed = []

    def follow(self, identity):
        self.followed.append(identity)

    def close(self, code):
        self.code = code


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


def held(token_id, backend="fake", user_pk=1):
    authentication = Authentication(backend=backend, token_id=token_id, location=Location.HEADER)
    return Grant(user_pk=user_pk, authentication=authentication)


def stands(each):
    return Identity(user=User(pk=each.user_pk), authentication=each.authentication)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
async def sweep():
    return new_sweep()


def new_sweep(before=None, *, interval=INTERVAL, grace=None):
    return Sweep([], before, interval=interval, grace=grace)


async def once(sweep, *sockets):
    sweep._sockets = sockets
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


async def test_token_that_stands_is_followed(sweep):
    fewer = replace(held("t").authentication, scopes=frozenset({"read"}))
    identity = Identity(user=User(pk=1), authentication=fewer)
    socket = Socket(Route(t=identity))
    await once(sweep, socket)
    assert socket.followed == [identity]


async def test_many_are_asked_about_in_batches(sweep):
    route = Route()
    await once(sweep, *(Socket(route, f"t{number}") for number in range(BATCH + 1)))
    assert [len(asked) for asked in route.asked] == [BATCH, 1]


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
    route.meanwhile = lambda: setattr(socket, "grant", held("new"))
    await once(sweep, socket)
    assert socket.code is None


async def test_socket_that_has_left_meanwhile_is_left_alone(sweep):
    route = Route(old=TokenAuthError(CloseReason.TOKEN_REVOKED))
    socket = Socket(route, "old")
    route.meanwhile = lambda: setattr(socket, "grant", None)
    await once(sweep, socket)
    assert socket.code is None


# -- A store that is away


async def test_store_that_is_away_keeps_its_sockets_and_is_logged_once(sweep, caplog):
    socket = Socket(Route(t=unavailable()))
    for _ in range(3):
        await once(sweep, socket)
    assert socket.code is None
    assert sweep.failures == 3
    assert caplog.messages == ["The token store of 'fake' is away: its sockets stay for now."]


async def test_store_that_is_back_is_told_once_and_not_counted_any_more(sweep, caplog):
    route = Route(t=unavailable())
    socket = Socket(route)
    await once(sweep, socket)
    caplog.clear()
    route.answers.clear()
    for _ in range(2):
        await once(sweep, socket)
    assert sweep.failures == 0
    assert caplog.messages == ["The token store of 'fake' is back, and its tokens were checked."]
    assert caplog.records[0].levelno == logging.WARNING


async def test_store_whose_sockets_have_all_left_is_not_called_back(sweep, caplog):
    await once(sweep, Socket(Route(t=unavailable())))
    caplog.clear()
    await once(sweep)
    assert sweep.failures == 0
    assert caplog.messages == []


async def test_each_pause_is_twice_the_last_until_the_interval_is_reached(sweep):
    assert sweep._pause() == INTERVAL
    pauses = []
    for _ in range(8):
        await once(sweep, Socket(Route(t=unavailable())))
        pauses.append(sweep._pause())
    assert pauses == [1, 2, 4, 8, 16, 32, INTERVAL, INTERVAL]


async def test_outage_of_weeks_still_has_a_pause(sweep):
    sweep.failures = 10**6
    assert sweep._pause() == INTERVAL


async def test_grace_bounds_the_pause_too():
    sweep = new_sweep(grace=5.0)
    sweep.failures = 10
    assert sweep._pause() == 5.0


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
    sweep._begin()
    assert sweep._timer is sweep._task is None


async def test_sweep_is_armed_once(sweep):
    sweep.arm()
    timer = sweep._timer
    sweep.arm()
    assert sweep._timer is timer
    timer.cancel()


async def test_sweeps_follow_one_another():
    route = Route()
    sweep = new_sweep(interval=0.01)
    sweep._sockets = [Socket(route)]
    sweep.arm()
    await until(lambda: len(route.asked) >= 3)
    sweep._sockets = []


async def test_hurry_sweeps_now_and_not_twice():
    route = Route()
    sweep = new_sweep()
    sweep._sockets = [Socket(route)]
    sweep.arm()
    sweep.hurry()
    sweep.hurry()
    await until(lambda: sweep._task is None)
    assert route.asked == [["t"]]
    sweep._timer.cancel()


async def test_sweep_that_fails_is_logged_and_repeated(caplog):
    class Broken(Route):
        async def revalidate(self, held):
            raise RuntimeError("broken")

    sweep = new_sweep()
    sweep._sockets = [Socket(Broken())]
    sweep.hurry()
    await until(lambda: sweep._timer)
    assert caplog.messages == ["A sweep failed, and is repeated."]
    assert sweep.failures == 1
    sweep._timer.cancel()


async def test_what_else_is_to_be_done_is_done_each_time():
    done = []

    async def before():
        done.append(1)

    sweep = new_sweep(before)
    sweep.hurry()
    await until(lambda: done and sweep._timer)
    sweep._timer.cancel()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_sockets_the_one_with_a_handle_is_asked_about(first):
    route = Route()
    asked = []

    async def revalidate(held):
        asked.extend(held)
        return [stands(each) for each in held]

    route.revalidate = revalidate
    sockets = [Socket(route), Socket(route)]
    sockets[first].grant = replace(sockets[first].grant, handle="of its backend")
    await once(new_sweep(), *sockets)
    assert [each.handle for each in asked] == ["of its backend"]
    assert all(socket.followed for socket in sockets)
