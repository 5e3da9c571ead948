"""The bucket lets as much pass as an exact count with fractions does."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.counting.bucket import MICROSECONDS, Bucket
from channels_token_auth.core.limits import Rate

SECOND = MICROSECONDS
RATES = st.builds(Rate, st.integers(1, 10**6), st.sampled_from([1, 60, 3600, 86400]))
WAITS = st.integers(0, 2 * 86400 * SECOND)


def test_whole_count_passes_at_once_and_no_more():
    bucket = Bucket(Rate(3, 60))
    assert [bucket.take(1, 0) for _ in range(4)] == [True, True, True, False]


def test_rate_pays_off_one_unit_after_the_other():
    bucket = Bucket(Rate(3, 60))
    bucket.take(3, 0)
    assert not bucket.take(1, 20 * SECOND - 1)
    assert bucket.take(1, 20 * SECOND)
    assert not bucket.take(1, 20 * SECOND)


def test_what_is_refused_is_not_counted():
    bucket = Bucket(Rate(10, 1))
    assert not bucket.take(11, 0)
    assert bucket.take(10, 0)


@pytest.mark.parametrize(
    ("after", "seconds"), [(0, 60), (1, 60), (59 * SECOND, 1), (60 * SECOND, 0)]
)
def test_it_reports_when_nothing_is_owed(after, seconds):
    bucket = Bucket(Rate(3, 60))
    bucket.take(3, 0)
    assert bucket.full_in(after) == seconds


@given(
    RATES, st.integers(0, 10**15), st.lists(st.tuples(WAITS, st.integers(0, 10**6)), max_size=30)
)
def test_it_is_exact_at_every_rate_and_for_ever(rate, start, steps):
    bucket, now, debt = Bucket(rate), start, Fraction(0)
    for wait, amount in steps:
        now += wait
        debt = max(Fraction(0), debt - Fraction(wait * rate.count, rate.seconds * SECOND))
        passes = debt + amount <= rate.count
        assert bucket.take(amount, now) is passes
        debt += amount if passes else 0
        assert 0 <= bucket.full_in(now) <= rate.seconds
        assert (bucket.full_in(now) == 0) is (debt == 0)
