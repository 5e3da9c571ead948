"""A throttle passes one of many equal log lines in a while, in bounded memory."""

import pytest

from channels_token_auth.observability import throttle as module
from channels_token_auth.observability.throttle import MAX_KEYS, Throttle


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_second_of_a_kind_waits(clock):
    throttle = Throttle(60)
    assert [throttle.allows("a"), throttle.allows("b"), throttle.allows("a")] == [True, True, False]
    clock.now += 59
    assert not throttle.allows("a")
    clock.now += 1
    assert throttle.allows("a")
    assert not throttle.allows("a")


def test_kinds_are_bounded(clock):
    throttle = Throttle(60)
    for number in range(MAX_KEYS + 10):
        throttle.allows(number)
    assert not throttle.allows(MAX_KEYS)
    assert throttle.allows(0)


def test_reset_forgets_all(clock):
    throttle = Throttle(60)
    throttle.allows("a")
    throttle.reset()
    assert throttle.allows("a")
