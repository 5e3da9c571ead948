"""The buckets of a user let as much pass as an exact count with fractions does."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.counting.bucket import MICROSECONDS, prices_of
from channels_token_auth.core.counting.traffic import TrafficTable
from channels_token_auth.core.limits import Limit, Limits, Rate

RATES = st.builds(Rate, st.integers(1, 10**6), st.sampled_from([1, 60, 3600, 86400]))
WAITS = st.floats(0, 2 * 86400)
HELLO = {"text": "hello"}


def traffic_of(*, messages=None, in_bytes=None):
    return TrafficTable().join("192.0.2.1", Limits(messages=messages, bytes=in_bytes), 0)


def passes(traffic, size, now):
    return traffic.take({"bytes": bytes(size)}, now) is None


def test_whole_count_passes_at_once_and_no_more():
    traffic = traffic_of(messages=Rate(3, 60))
    assert [passes(traffic, 1, 0) for _ in range(4)] == [True, True, True, False]


def test_rate_pays_off_one_unit_after_the_other():
    traffic = traffic_of(in_bytes=Rate(3, 60))
    assert passes(traffic, 3, 0)
    assert not passes(traffic, 1, 19.999999)
    assert passes(traffic, 1, 20)
    assert not passes(traffic, 1, 20)


def test_what_is_refused_is_not_counted():
    traffic = traffic_of(in_bytes=Rate(10, 1))
    assert not passes(traffic, 11, 0)
    assert passes(traffic, 10, 0)


def test_frame_with_too_many_bytes_is_no_message_either():
    traffic = traffic_of(messages=Rate(1, 60), in_bytes=Rate(10, 60))
    assert traffic.take({"text": "x" * 11}, 0) == (Limit.BYTES, 1)
    assert traffic.take(HELLO, 0) is None
    assert traffic.take(HELLO, 0) == (Limit.MESSAGES, 60)


@pytest.mark.parametrize("text", ["abcdef", "äöü", "€€", "\ud800\ud800", "a\ud800ä"])
def test_text_counts_by_its_bytes(text):
    traffic = traffic_of(in_bytes=Rate(6, 60))
    assert traffic.take({"text": text}, 0) is None
    assert traffic.take({"text": "x"}, 0) == (Limit.BYTES, 60)


@pytest.mark.parametrize(("after", "seconds"), [(0, 60), (0.000001, 60), (39.5, 21), (39.9, 21)])
def test_it_reports_when_nothing_is_owed(after, seconds):
    traffic = traffic_of(in_bytes=Rate(3, 60))
    assert passes(traffic, 3, 0)
    assert traffic.take({"text": "three"}, after) == (Limit.BYTES, seconds)


@pytest.mark.parametrize("after", [0, 59.999999])
def test_it_owes_until_the_whole_count_is_free(after):
    traffic = traffic_of(messages=Rate(3, 60), in_bytes=Rate(3, 60))
    assert not traffic.owes(0)
    assert passes(traffic, 3, 0)
    assert traffic.owes(after)
    assert not traffic.owes(60)


class Exact:
    """One rate, counted with fractions."""

    def __init__(self, rate):
        self.rate, self.debt = rate, Fraction(0)

    def wait(self, microseconds):
        paid = Fraction(microseconds * self.rate.count, self.rate.seconds * MICROSECONDS)
        self.debt = max(Fraction(0), self.debt - paid)

    def has_room(self, amount):
        return self.debt + amount <= self.rate.count


@given(
    RATES,
    RATES,
    st.floats(0, 10**9),
    st.lists(st.tuples(WAITS, st.integers(0, 10**6)), max_size=30),
)
def test_they_are_exact_at_every_rate_and_for_ever(messages, in_bytes, now, steps):
    traffic = traffic_of(messages=messages, in_bytes=in_bytes)
    of_messages, of_bytes, moment = Exact(messages), Exact(in_bytes), int(now * MICROSECONDS)
    for wait, size in steps:
        now += wait
        waited, moment = int(now * MICROSECONDS) - moment, int(now * MICROSECONDS)
        of_messages.wait(waited)
        of_bytes.wait(waited)
        has_room = of_messages.has_room(1) and of_bytes.has_room(size)
        assert passes(traffic, size, now) is has_room
        if has_room:
            of_messages.debt += 1
            of_bytes.debt += size
        assert traffic.owes(now) is (of_messages.debt + of_bytes.debt > 0)


@given(RATES, RATES)
def test_prices_are_whole_parts_of_a_microsecond(one, other):
    scale, *numbers = prices_of(one, other)
    for rate, price, all_of_it in zip((one, other), numbers[::2], numbers[1::2], strict=True):
        assert Fraction(price, scale) == Fraction(rate.seconds * MICROSECONDS, rate.count)
        assert all_of_it == rate.seconds * MICROSECONDS * scale


def test_common_rates_need_no_parts_so_that_numbers_stay_small():
    assert prices_of(Rate(100, 1), Rate(1_000_000, 1)) == (1, 10_000, 1_000_000, 1, 1_000_000)
    assert prices_of(None, None) == (1, 0, 0, 0, 0)
