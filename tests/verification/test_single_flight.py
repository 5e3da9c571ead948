"""Verifications under way: one for each token, each with its deadline."""

import asyncio

import pytest

from channels_token_auth.verification.single_flight import SingleFlight
from tests.memory import kept_by

GIVEN_UP = "given up"


class Starts:
    """Notes which calls were started, to be finished by the test."""

    def __init__(self, timeout=60):
        self.single_flight = SingleFlight(timeout, self.give_up)
        self.started = []
        self.given_up = 0

    def give_up(self, late):
        self.given_up += len(late)
        return GIVEN_UP

    def join(self, key):
        return self.single_flight.join(key, lambda call: self.started.append((key, call)))

    def finish(self, number, answer):
        key, call = self.started[number]
        self.single_flight.finish(key, call, answer)


async def test_all_who_ask_for_one_token_get_the_answer_of_one_verification():
    starts = Starts()
    asked = [starts.join("a") for _ in range(3)]
    starts.finish(0, "yes")
    assert await asyncio.gather(*asked) == ["yes"] * 3
    assert len(starts.started) == 1


async def test_tokens_do_not_share_a_verification():
    starts = Starts()
    asked = [starts.join("a"), starts.join("b")]
    starts.finish(1, "no")
    starts.finish(0, "yes")
    assert await asyncio.gather(*asked) == ["yes", "no"]


async def test_after_the_answer_the_next_one_is_verified_anew():
    starts = Starts()
    first = starts.join("a")
    starts.finish(0, "yes")
    second = starts.join("a")
    starts.finish(1, "no")
    assert (await first, await second) == ("yes", "no")


async def test_one_who_leaves_takes_nobody_with_him():
    starts = Starts()
    gone, stays = starts.join("a"), starts.join("a")
    gone.cancel()
    starts.finish(0, "yes")
    assert await stays == "yes"


async def test_each_is_given_up_at_its_deadline():
    starts, loop, waited = Starts(timeout=0.02), asyncio.get_running_loop(), []

    def join(key):
        joined_at, asked = loop.time(), starts.join(key)
        asked.add_done_callback(lambda _: waited.append(loop.time() - joined_at))
        return asked

    first = join("a")
    await asyncio.sleep(0.01)
    assert await asyncio.gather(first, join("b")) == [GIVEN_UP] * 2
    # A machine that pauses gives both up together, but never the second one too early.
    assert all(seconds > 0.019 for seconds in waited)
    assert starts.given_up == 2


async def test_nothing_is_given_up_that_was_answered():
    starts = Starts(timeout=0.01)
    asked = starts.join("a")
    starts.finish(0, "yes")
    await asyncio.sleep(0.03)
    assert (await asked, starts.given_up) == ("yes", 0)


async def test_an_answer_that_comes_too_late_is_not_the_next_ones():
    starts = Starts(timeout=0.01)
    assert await starts.join("a") == GIVEN_UP
    second = starts.join("a")
    starts.finish(0, "late")
    assert not second.done()
    starts.finish(1, "yes")
    assert await second == "yes"


async def test_an_idle_one_holds_no_timer():
    starts = Starts(timeout=0.01)
    starts.join("a")
    assert kept_by(starts.single_flight, asyncio.TimerHandle)
    starts.finish(0, "yes")
    await asyncio.sleep(0.03)
    assert not kept_by(starts.single_flight, asyncio.TimerHandle)


async def test_a_token_that_is_verified_for_ever_does_not_keep_the_others_waiting():
    starts = Starts(timeout=0.03)
    hanging = starts.join("a")
    for number in range(1, 4):
        other = starts.join("b")
        starts.finish(number, "yes")
        assert await other == "yes"
        await asyncio.sleep(0.005)
    assert await hanging == GIVEN_UP


async def test_verification_that_could_not_begin_is_joined_by_nobody():
    starts = Starts(timeout=0.01)

    def fail(_):
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - its own
        starts.single_flight.join("a", fail)
    asked = starts.join("a")
    assert len(starts.started) == 1
    assert (await asked, starts.given_up) == (GIVEN_UP, 1)
