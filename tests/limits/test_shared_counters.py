"""Counts that processes share: on a real Redis, which may stop and hang."""

import os
import threading
import time

import pytest

from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.limits import Limit, Rate
from channels_token_auth.limits import shared_counters as module
from channels_token_auth.limits.rate_counter import RateCounter
from channels_token_auth.limits.shared_counters import SharedCounters, build_store
from channels_token_auth.observability.outages import current_outages
from tests.services import redis

THREE = Rate(3, 600)
DEADLINE = 60.0  # it only ends what hangs


@pytest.fixture(scope="module")
def server():
    with redis() as server:
        yield server


@pytest.fixture
def process(server, settings, monkeypatch):
    """Build a counter as another process would have it."""
    settings.SECRET_KEY = f"{time.monotonic()}"  # names of its own in the store
    # A count is lost if the store takes longer, and a machine under load may take seconds.
    monkeypatch.setattr(module, "TIMEOUT", DEADLINE)

    def build(rate=THREE, limit=Limit.FAILURES):
        return RateCounter(limit, rate, SharedCounters(Secret(server.url)))

    yield build
    module.outages.reset()


def eventually(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return True


def is_out():
    """Return whether the store is reported as unavailable: other tests may leave other outages."""
    return "limits" in {each.service for each in current_outages()}


def test_processes_share_one_count(process):
    first, second = process(), process()
    first.add("203.0.113.1", 2)
    second.add("203.0.113.1")
    # The one whose count arrives last learns of the limit; the other one with its next count.
    assert eventually(lambda: first.wait("203.0.113.1") or second.wait("203.0.113.1"))
    for counter in (first, second):
        counter.add("203.0.113.1")
        assert eventually(lambda counter=counter: counter.wait("203.0.113.1"))
        assert 0 < counter.wait("203.0.113.1") <= 600


def test_counts_of_other_keys_limits_and_sites_are_apart(process, server, settings):
    store = build_store(Secret(server.url)).storage
    # Addresses of its own: late counts of the test before may have the names of this one's site.
    before = len(store.keys())
    process().add("198.51.100.1", 5)
    # A count that reaches the store later would be counted for the other site.
    assert eventually(lambda: len(store.keys()) > before)
    others = [process(limit=Limit.HANDSHAKES), process(Rate(3, 60)), process()]
    keys = ["198.51.100.1", "198.51.100.1", "198.51.100.2"]
    for other, key in zip(others, keys, strict=True):
        other.add(key)
    time.sleep(0.3)
    assert [other.wait(key) for other, key in zip(others, keys, strict=True)] == [None] * 3
    settings.SECRET_KEY = "another site's"
    other = process()
    other.add("198.51.100.1")
    time.sleep(0.3)
    assert other.wait("198.51.100.1") is None


class Noted:
    """A counter that keeps which keys it was to block."""

    def __init__(self, rate, limit=Limit.FAILURES):
        self.limit, self.rate, self.blocked = limit, rate, []

    def block(self, key, seconds):
        self.blocked.append(key)


def test_routes_with_different_rates_count_apart():
    shared = SharedCounters(Secret("memory://"))
    large, small, last = Noted(Rate(9, 600)), Noted(THREE), Noted(THREE, Limit.HANDSHAKES)
    # The last one shows that the store has all of them, in this order.
    for counter, amount in ((large, 8), (small, 1), (last, 3)):
        shared.add(counter, "203.0.113.1", amount)
    assert eventually(lambda: last.blocked)
    assert large.blocked == small.blocked == []


@pytest.mark.asvs("14.2.2")
def test_store_holds_no_address_and_forgets_by_itself(process, server):
    process().add("203.0.113.1")
    store = build_store(Secret(server.url)).storage
    assert eventually(store.keys)
    names = store.keys()
    assert "203.0.113.1" not in repr(names)
    assert all(0 < store.ttl(name) <= 600 for name in names)


class Held(Noted):
    """A counter whose block, which each count that is sent calls, waits for the test."""

    def __init__(self, rate):
        super().__init__(rate)
        self.goes_on = threading.Event()

    def block(self, key, seconds):
        super().block(key, seconds)
        self.goes_on.wait(DEADLINE)


def test_many_counts_of_one_key_are_sent_together():
    shared, rate = SharedCounters(Secret("memory://")), Rate(1, 600)
    held, last = Held(rate), Noted(rate, Limit.HANDSHAKES)
    shared.add(held, "203.0.113.1", 1)
    assert eventually(lambda: held.blocked)
    for _ in range(1000):
        shared.add(held, "203.0.113.1", 1)
    shared.add(last, "203.0.113.1", 1)  # sent after them
    held.goes_on.set()
    assert eventually(lambda: last.blocked)
    assert len(held.blocked) == 2


def test_store_that_stops_is_logged_once_and_each_process_counts_by_itself(process, server, caplog):
    counter = process()
    server.stop()
    try:
        for number in range(3):
            counter.add("203.0.113.1")
            counter.add(f"203.0.113.{number}")
            time.sleep(0.1)
        assert counter.wait("203.0.113.1")
        assert eventually(is_out)
    finally:
        server.start()
    assert eventually(lambda: counter.add("203.0.113.9") or not is_out())
    assert len([each for each in caplog.messages if "unavailable" in each]) == 1
    first, second = process(), process()
    first.add("203.0.113.8", 2)
    second.add("203.0.113.8")
    assert eventually(lambda: first.wait("203.0.113.8") or second.wait("203.0.113.8"))


def test_store_that_hangs_delays_nobody(process, server):
    counter = process()
    server.pause()
    try:
        began = time.monotonic()
        for number in range(20_000):
            counter.add(f"10.0.{number >> 8}.{number & 255}")
        assert counter.wait("10.0.0.1") is None
        assert time.monotonic() - began < DEADLINE / 2  # a wait would not end
    finally:
        server.resume()


def test_password_of_the_store_reaches_no_log(caplog, server, settings):
    uri = Secret(f"redis://user:canary@127.0.0.1:{server.port}")
    RateCounter(Limit.FAILURES, THREE, SharedCounters(uri)).add("203.0.113.1")
    assert eventually(lambda: "unavailable" in caplog.text)
    assert "canary" not in caplog.text
    assert "canary" not in repr(uri)
    module.outages.reset()


def test_child_of_a_fork_counts_too(process, server):
    store, rate = build_store(Secret(server.url)).storage, Rate(30, 600)
    counter = process(rate)
    counter.add("203.0.113.9")  # so that its thread runs, which the child does not inherit
    process(rate).add("203.0.113.1", 29)
    # Other tests' counts may still arrive, but none of 29.
    assert eventually(lambda: b"29" in store.mget(store.keys()))
    if not (child := os.fork()):
        status = 1
        try:
            counter.add("203.0.113.1")
            status = 0 if eventually(lambda: counter.wait("203.0.113.1")) else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_child_of_a_fork_during_the_building_of_a_store_builds_its_own(monkeypatch):
    is_building, may_go_on = threading.Event(), threading.Event()

    def build(uri):
        is_building.set()
        assert may_go_on.wait(DEADLINE)
        return build_store(uri)

    monkeypatch.setattr(module, "build_store", build)
    shared, counter = SharedCounters(Secret("memory://")), Noted(THREE)
    shared.add(counter, "203.0.113.1", 3)
    assert is_building.wait(DEADLINE)
    if not (child := os.fork()):
        status = 1
        try:
            may_go_on.set()
            shared.add(counter, "203.0.113.1", 3)
            status = 0 if eventually(lambda: counter.blocked) else 1
        finally:
            os._exit(status)
    may_go_on.set()
    assert os.waitpid(child, 0)[1] == 0


def test_thread_that_could_not_be_started_is_started_by_a_later_count(process, monkeypatch):
    first, second = process(), process()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_more_threads)
        first.add("203.0.113.9")
    first.add("203.0.113.9")
    second.add("203.0.113.9")
    assert eventually(lambda: first.wait("203.0.113.9") or second.wait("203.0.113.9"))


def _no_more_threads(_):
    raise RuntimeError("can't start new thread")
