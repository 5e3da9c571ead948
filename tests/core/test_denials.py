"""However many rules are set for a user, in whatever order, one denies what any of them denies."""

import json
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.denial import Denial

TOKENS = ["a", "b", "c", "d"]

times = st.sampled_from([1.0, 2.0, 3.0, 4.0])
denials = st.builds(
    Denial, before=times, except_token_id=st.none() | st.sampled_from(TOKENS), floor=st.none()
)
tokens = st.tuples(st.sampled_from(TOKENS), st.none() | st.sampled_from([0.5, 1.0, 2.5, 3.0, 4.5]))


def merge(rules):
    """As they are set one after the other."""
    return reduce(lambda older, newer: newer.merged(older), rules, None)


@given(st.lists(denials, min_size=1, max_size=5), tokens)
def test_merged_rules_deny_what_any_of_them_denies(rules, token):
    assert merge(rules).covers(*token) == any(rule.covers(*token) for rule in rules)


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


@pytest.mark.parametrize(("issued_at", "is_denied"), [(99, True), (100, True), (100.5, False)])
def test_token_of_that_very_moment_counts_as_before(issued_at, is_denied):
    assert Denial(before=100).covers("a", issued_at) is is_denied


def test_token_that_does_not_say_when_it_was_issued_counts_as_old():
    assert Denial(before=100).covers("a", None)


def test_excepted_token_passes_however_old_it_is():
    assert not Denial(before=100, except_token_id="a").covers("a", None)


def test_exception_does_not_lift_an_earlier_rule():
    merged = Denial(before=200, except_token_id="a").merged(Denial(before=100))
    assert merged.covers("a", 100)
    assert not merged.covers("a", 150)
