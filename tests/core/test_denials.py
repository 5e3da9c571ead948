"""However many rules are set for a user, in whatever order, one denies what any of them denies."""

import json
import math
from dataclasses import replace
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.denial import Denial, is_issued_before

TOKENS = ["a", "b", "c", "d"]

times = st.sampled_from([1.0, 2.0, 2.7, 3.0, 4.0, math.inf])
denials = st.builds(
    Denial, before=times, except_token_id=st.none() | st.sampled_from(TOKENS), floor=st.none()
)
tokens = st.tuples(st.sampled_from(TOKENS), st.none() | st.sampled_from([0.5, 1.0, 2.5, 3.0, 4.5]))
verified = st.none() | st.sampled_from([0.7, 2.0, 3.2])


def merge(rules):
    """As they are set one after the other."""
    return reduce(lambda older, newer: newer.merged(older), rules, None)


@given(st.lists(denials, min_size=1, max_size=5), tokens, verified)
def test_merged_rules_deny_what_any_of_them_denies(rules, token, at):
    denied = merge(rules).covers(*token, verified_at=at)
    assert denied == any(rule.covers(*token, verified_at=at) for rule in rules)


@given(st.lists(denials, min_size=2, max_size=4), tokens)
def test_order_does_not_matter(rules, token):
    assert len({merge(order).covers(*token) for order in permutations(rules)}) == 1


@given(st.lists(denials, min_size=2, max_size=5), st.integers(1, 4), tokens)
def test_rules_may_be_merged_in_groups(rules, at, token):
    groups = [group for group in (rules[:at], rules[at:]) if group]
    assert merge([merge(group) for group in groups]).covers(*token) == merge(rules).covers(*token)


@given(st.lists(denials, min_size=1, max_size=3))
def test_rule_is_the_same_out_of_a_cache_that_writes_json(rules):
    rule = merge(rules)
    assert Denial.from_entry(json.loads(json.dumps(rule.to_entry()))) == rule


@pytest.mark.parametrize(
    ("issued_at", "verified_at", "is_before"),
    [
        (99, None, True),
        (99.9, None, True),
        (100, None, False),  # it may be the one that a view has just issued
        (100, 100.3, True),
        (100, 100.5, False),
        (100.4, None, True),
        (100.5, None, True),
        (100.6, None, False),
        (101, None, False),
        (104, 100.3, True),  # ahead of the clock, and verified all the same
        (104, 100.6, False),
        (None, 100.6, True),
    ],
)
def test_token_is_issued_before_a_moment(issued_at, verified_at, is_before):
    assert is_issued_before(100.5, issued_at, verified_at=verified_at) is is_before


def test_rule_without_a_moment_denies_whatever_was_issued_and_fits_into_json():
    rule = Denial(before=math.inf)
    assert rule.covers("a", 2**40)
    entry = json.loads(json.dumps(rule.to_entry(), allow_nan=False))
    assert Denial.from_entry(entry) == rule


def test_token_that_does_not_say_when_it_was_issued_counts_as_old():
    assert Denial(before=100).covers("a", None)


def test_excepted_token_passes_however_old_it_is():
    assert not Denial(before=100, except_token_id="a").covers("a", None)


def test_exception_does_not_lift_an_earlier_rule():
    merged = Denial(before=200, except_token_id="a").merged(Denial(before=100))
    assert merged.covers("a", 99)
    assert not merged.covers("a", 150)


@pytest.mark.parametrize(
    ("backend", "issuer", "is_denied"), [("jwt", "a", False), ("jwt", "b", True), ("x", "a", True)]
)
def test_only_the_excepted_token_of_that_origin_stays(backend, issuer, is_denied):
    rule = Denial(before=100, except_token_id="t", except_backend="jwt", except_issuer="a")
    assert rule.covers("t", 1, backend=backend, issuer=issuer) is is_denied


@pytest.mark.parametrize("is_reversed", [False, True])
def test_token_that_is_excepted_twice_stays_however_much_was_known_of_it(is_reversed):
    known = Denial(before=100, except_token_id="t", except_backend="jwt", except_issuer="a")
    named = Denial(before=101, except_token_id=Secret("t").digest)
    rules = (
        [replace(named, before=100), replace(known, before=101)] if is_reversed else [known, named]
    )
    rule = merge(rules)
    assert not rule.covers("t", 1, backend="jwt", issuer="a")
    assert rule.covers("t", 1, backend="jwt", issuer="b")
    assert rule.covers("u", 1, backend="jwt", issuer="a")
