import threading
import tracemalloc

import pytest

from channels_token_auth.core.limits import Limit, Rate
from channels_token_auth.limits.rate_counter import MAX_KEYS, RateCounter, rate_counter
from channels_token_auth.testing import frozen_clock

SITE = {"BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]}
THREE = Rate(3, 60)


@pytest.fixture
def time():
    with frozen_clock() as clock:
        yield clock


@pytest.fixture
def counter():
    return RateCounter(Limit.FAILURES, THREE)


def add(counter, times, key="a"):
    for _ in range(times):
        counter.add(key)


def test_key_waits_from_the_count_on_until_its_window_ends(time, counter):
    add(counter, 2)
    assert counter.wait("a") is None
    add(counter, 1)
    assert counter.wait("a") == 60


async def test_window_ends_as_long_after_its_first_count_as_the_rate_says(time, counter):
    add(counter, 1)
    await time.move(59.5)
    add(counter, 2)
    assert counter.wait("a") == 1
    await time.move(0.5)
    assert counter.wait("a") is None


async def test_whoever_goes_on_while_it_waits_does_not_wait_longer(time, counter):
    add(counter, 3)
    await time.move(30)
    add(counter, 100)
    assert counter.wait("a") == 30


async def test_window_that_has_ended_counts_from_zero(time, counter):
    add(counter, 3)
    await time.move(60)
    add(counter, 2)
    assert counter.wait("a") is None
    add(counter, 1)
    assert counter.wait("a") == 60


def test_keys_are_counted_apart(counter):
    add(counter, 3)
    assert counter.wait("b") is None


def test_amounts_add_up(counter):
    counter.add("a", 3)
    assert counter.wait("a")


async def test_no_key_is_remembered_for_longer_than_its_window(time, counter):
    for number in range(1000):
        counter.add(str(number))
    await time.move(60)
    for number in range(600):
        counter.add(f"later {number}")
    assert len(counter) == 600


async def test_key_that_was_blocked_is_forgotten_too(time, counter):
    counter.block("a", 30)
    await time.move(60)
    add(counter, 1, "b")
    assert len(counter) == 1


def address(number):
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def test_keys_are_bounded_under_more_addresses(counter):
    count = MAX_KEYS + 10_000
    for number in range(count):
        counter.add(address(number))
    assert len(counter) == MAX_KEYS
    add(counter, 3, address(count - 1))
    assert counter.wait(address(count - 1))


def test_all_keys_together_take_at_most_30_megabytes(counter):
    tracemalloc.start()
    try:
        for number in range(5_000):
            counter.add(address(number))
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown / 5_000 * MAX_KEYS < 30e6


async def test_store_that_reports_more_blocks_the_key_for_the_time_it_says(time, counter):
    add(counter, 1)
    counter.block("a", 20.5)
    assert counter.wait("a") == 60  # its own window lasts longer
    counter.block("b", 20.5)
    assert counter.wait("b") == 21
    counter.block("c", 1e9)
    assert counter.wait("c") == 60


@pytest.mark.asvs("15.4.1")
def test_threads_lose_no_count():
    counter = RateCounter(Limit.FAILURES, Rate(4000, 3600))
    threads = [threading.Thread(target=add, args=(counter, 1000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(thread.join() is None for thread in threads)
    assert counter.wait("a")


def test_all_routes_share_the_counter_of_a_rate(settings):
    settings.CHANNELS_TOKEN_AUTH = SITE
    first = rate_counter(Limit.FAILURES, THREE)
    assert rate_counter(Limit.FAILURES, Rate(3, 60)) is first
    assert rate_counter(Limit.HANDSHAKES, THREE) is not first
    settings.CHANNELS_TOKEN_AUTH = SITE
    assert rate_counter(Limit.FAILURES, THREE) is not first
