"""A user's frames over several processes, on a real Redis."""

import time

import pytest

from channels_token_auth.clock import clock
from channels_token_auth.core.counting.traffic import TrafficTable
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.identity import UserKey
from channels_token_auth.core.limits import Limit, Limits, Rate
from channels_token_auth.limits import shared_counters
from channels_token_auth.limits.shared_counters import SharedCounters
from channels_token_auth.limits.shared_traffic import SharedTraffic, share_traffic
from tests.services import redis

ANNE, BOB = UserKey(kind="auth.user", key="1"), UserKey(kind="auth.user", key="2")
NAMESAKE = UserKey(kind="issuer:x", key="1")
FRAME = {"text": "hello"}


@pytest.fixture(scope="module")
def server():
    with redis() as server:
        yield server


@pytest.fixture
def process(server, settings, monkeypatch):
    """Build the table of another process."""
    settings.SECRET_KEY = f"{time.monotonic()}"  # names of its own in the store
    # A count is lost if the store takes longer, and a machine under load may take seconds.
    monkeypatch.setattr(shared_counters, "TIMEOUT", 60.0)
    counters = []

    def build():
        counters.append(SharedCounters(Secret(server.url)))
        shared = counters[-1]
        return TrafficTable(lambda *new: SharedTraffic(*new, shared).add)

    return build


def sends(traffic):
    return traffic.take(FRAME, clock.steady())


def sends_until_refused(traffic):
    """Return what refuses a frame, of fewer than this process would refuse by itself.

    The pauses are long enough for a report to the store, also of a busy machine.
    """
    for pause in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20):
        if refused := sends(traffic):
            return refused
        time.sleep(pause)
    return sends(traffic)


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(messages=Rate(10, 600)), Limit.MESSAGES),
        (Limits(bytes=Rate(50, 600)), Limit.BYTES),
    ],
)
def test_processes_share_the_rate_of_a_user(process, limits, limit):
    first, second = (process().join(ANNE, limits, clock.steady()) for _ in range(2))
    other = process().join(BOB, limits, clock.steady())
    namesake = process().join(NAMESAKE, limits, clock.steady())
    for _ in range(9):
        assert sends(first) is None
        time.sleep(0.06)  # the next frame is reported by itself
    reached, seconds = sends_until_refused(second)
    assert reached is limit
    assert 0 < seconds <= 600
    for apart in (other, namesake):  # twice: the answer of the store comes with the next frame
        assert [sends_and_waits(apart), sends_and_waits(apart)] == [None, None]


def test_routes_with_different_rates_count_apart(process):
    messages = Rate(10, 600)
    first = process().join(ANNE, Limits(messages=messages, bytes=Rate(900, 600)), clock.steady())
    second = process().join(ANNE, Limits(messages=messages), clock.steady())
    assert [sends(first) for _ in range(9)] == [None] * 9
    first.share()
    assert [sends_and_waits(second) for _ in range(5)] == [None] * 5


def sends_and_waits(traffic):
    """Send a frame, and wait until the store has counted it."""
    refused = sends(traffic)
    time.sleep(0.1)
    return refused


def test_store_that_stops_leaves_each_process_its_own_rate(process, server):
    limits = Limits(messages=Rate(3, 600))
    server.stop()
    try:
        traffic = process().join(ANNE, limits, clock.steady())
        assert [sends(traffic) is None for _ in range(4)] == [True, True, True, False]
    finally:
        server.start()


def test_nothing_is_shared_without_a_store():
    limits = Limits(messages=Rate(3, 600))
    assert TrafficTable(share_traffic).join(ANNE, limits, 0).report is None
