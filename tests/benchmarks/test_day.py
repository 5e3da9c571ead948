"""The judgement of `bench day`, and a short day with all that may happen."""

from math import inf

import pytest

from benchmarks import day
from benchmarks.bench import Bench
from benchmarks.day.ledger import Ledger, Outage, Place, Token
from benchmarks.day.plan import Plan
from benchmarks.generator import compile_load

NOW = 1_000_000.0
PLAN = Plan(seconds=1800, sockets=10_000)


def a_token(**values):
    return Token(**({"text": "", "is_stateless": False, "issued_at": NOW - 100} | values))


@pytest.fixture
def ledger():
    return Ledger(PLAN)


@pytest.fixture
def node():
    return Place(name="node")


REVOKED = {"ending_at": NOW - 1, "ended_at": NOW - 0.5, "codes": {4410}}


@pytest.mark.parametrize(
    ("code", "of_token", "of_node", "is_wrong"),
    [
        (4410, REVOKED, {}, False),
        (4410, {}, {}, True),
        (4410, REVOKED | {"ending_at": NOW + 1}, {}, True),
        (4423, REVOKED, {}, True),
        (4410, REVOKED | {"codes": {4423}}, {}, True),
        (4410, REVOKED | {"codes": {4423}, "is_stateless": True}, {}, False),
        (4419, {"expires_at": NOW - 1}, {}, False),
        (4419, {"expires_at": NOW + 10}, {}, True),
        (4503, {}, {"draining_at": NOW - 1}, False),
        (4503, {}, {}, True),
        (1006, {}, {"leaving_at": NOW - 1}, False),
        (1006, {}, {}, True),
        (4500, REVOKED, {"leaving_at": NOW - 1}, True),
    ],
)
def test_close_is_wrong_unless_something_explains_it(ledger, code, of_token, of_node, is_wrong):
    ledger.closed([a_token(**of_token)], code, Place(name="node", **of_node), NOW)
    assert bool(ledger.wrongly_closed) is is_wrong


def test_close_is_explained_by_the_token_that_was_sent_to_renew_it(ledger, node):
    ledger.closed([a_token(), a_token(**REVOKED)], 4410, node, NOW)
    assert ledger.wrongly_closed == []


@pytest.mark.parametrize(
    ("code", "is_wrong"), [(401, True), (4401, True), (503, False), (0, False)]
)
def test_refusal_of_a_good_token_is_wrong_unless_it_is_put_off(ledger, node, code, is_wrong):
    ledger.refused(a_token(), code, node, NOW)
    assert bool(ledger.wrongly_closed) is is_wrong
    assert ledger.counts["put off without an outage"] == (not is_wrong)


def test_socket_may_not_outlive_its_token_by_more_than_the_bound(ledger, node):
    token = a_token(**REVOKED)
    assert ledger.open([token], node, token.ended_at + PLAN.bound)
    assert not ledger.open([token], node, token.ended_at + PLAN.bound + 1)
    assert len(ledger.wrongly_connected) == 1


def test_token_that_two_calls_end_may_be_closed_with_the_code_of_either(ledger, node):
    token = a_token()
    for code in (4410, 4423):
        token.begin_to_end(code)
        token.end()
        ledger.closed([token], code, node, token.ended_at)
    assert ledger.wrongly_closed == []
    ledger.closed([token], 4419, node, token.ended_at)
    assert len(ledger.wrongly_closed) == 1


def test_socket_may_be_open_from_the_call_that_makes_its_token_valid_again(ledger, node):
    token = a_token(**REVOKED | {"codes": {4423}})
    late = token.ended_at + PLAN.bound + 1
    token.revive(4423)
    ledger.admitted(token, node, late)
    assert ledger.open([token], node, late)
    ledger.refused(token, 4423, node, late)
    assert ledger.wrongly_connected == ledger.wrongly_closed == []


def test_token_that_was_also_revoked_stays_ended(ledger, node):
    token = a_token(**REVOKED | {"codes": {4410, 4423}})
    token.revive(4423)
    assert not ledger.open([token], node, token.ended_at + PLAN.bound + 1)


def test_bound_begins_again_when_an_outage_ends(ledger, node):
    token = a_token(**REVOKED)
    ledger.outages.append(Outage(name="postgresql", began_at=NOW))
    assert ledger.deadline(token) == inf
    ledger.outages[0].ended_at = NOW + 3
    assert ledger.deadline(token) == NOW + 3 + PLAN.bound
    ledger.admitted(token, node, NOW + 4 + PLAN.bound)
    assert len(ledger.wrongly_connected) == 1


@pytest.mark.parametrize(("is_stateless", "is_wrong"), [(True, False), (False, True)])
def test_redis_that_forgot_its_denials_explains_the_end_of_jwts(
    ledger, node, is_stateless, is_wrong
):
    ledger.outages.append(Outage(name="redis", began_at=NOW - 20, ended_at=NOW - 17))
    ledger.closed([a_token(is_stateless=is_stateless)], 4419, node, NOW)
    assert bool(ledger.wrongly_closed) is is_wrong


@pytest.mark.parametrize(("ticket_at", "is_wrong"), [(NOW - 21, False), (NOW - 1, True)])
def test_redis_that_forgot_a_ticket_explains_its_refusal(ledger, node, ticket_at, is_wrong):
    ledger.outages.append(Outage(name="redis", began_at=NOW - 20, ended_at=NOW - 17))
    ledger.refused(a_token(), 401, node, NOW, ticket_at=ticket_at)
    assert bool(ledger.wrongly_closed) is is_wrong


def test_each_minute_a_node_is_killed_and_something_else_happens():
    names = [name for _, name in Plan(seconds=180, sockets=500).mishaps()]
    assert names == ["drain", "kill", "redis", "kill", "postgresql", "kill"]


@pytest.mark.measured
@pytest.mark.slow  # starts four nodes, Redis and PostgreSQL, and lets everything befall them
def test_a_short_day_ends_well():
    compile_load()
    bench = Bench(rounds=1, quick=True, minutes=0.5, sockets=60, say=lambda _: None)
    verdict, happened, *_ = day.run(bench)
    assert verdict.faults == []
    assert {"revoke", "log_out", "deactivate", "reauthenticated"} <= set(happened.names)
    assert {"closed with 1006", "closed with 4503", "closed with 4410"} <= set(happened.names)
