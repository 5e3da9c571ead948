"""Verified tokens: how long a verdict is good, for whom, and how many are kept."""

from dataclasses import replace

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.verification import verdict_cache as module
from channels_token_auth.verification.verdict_cache import VerdictCache
from tests.memory import kept_by

from .backends import credential, identity


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def remembered(seconds=10.0, **verdicts):
    tokens = VerdictCache(seconds)
    for token, verdict in verdicts.items():
        tokens.put(tokens.key(credential(token)), verdict, generation=tokens.generation)
    return tokens


def known(tokens, *names):
    return [name for name in names if tokens.get(tokens.key(credential(name)))]


def test_a_verdict_is_good_for_its_seconds_and_no_longer(clock):
    tokens = remembered(10.0, a=identity("a"))
    clock.now += 9.99
    assert tokens.get(tokens.key(credential("a"))) == identity("a")
    clock.now += 0.01
    assert tokens.get(tokens.key(credential("a"))) is None


def test_a_refusal_is_remembered_for_a_second(clock):
    tokens = remembered(10.0, a=TokenAuthError(CloseReason.TOKEN_INVALID))
    clock.now += module.REFUSED_SECONDS - 0.01
    assert tokens.get(tokens.key(credential("a"))).code is CloseReason.TOKEN_INVALID
    clock.now += 0.01
    assert tokens.get(tokens.key(credential("a"))) is None


def test_a_refusal_is_never_remembered_for_longer_than_a_verdict(clock):
    tokens = remembered(0.5, a=TokenAuthError(CloseReason.TOKEN_INVALID))
    clock.now += 0.5
    assert known(tokens, "a") == []


@pytest.mark.parametrize("code", [CloseReason.UNAVAILABLE, CloseReason.RATE_LIMITED])
def test_an_answer_about_now_only_is_not_remembered(code):
    assert known(remembered(a=TokenAuthError(code)), "a") == []


def test_nothing_is_remembered_with_0():
    tokens = remembered(0, a=identity("a"), b=TokenAuthError(CloseReason.TOKEN_INVALID))
    assert known(tokens, "a", "b") == []
    assert not kept_by(tokens, Identity)


def test_of_too_many_those_verified_first_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MAX_VERIFIED", 2)
    tokens = remembered(a=identity("a"), b=identity("b"))
    tokens.put(tokens.key(credential("a")), identity("a"), generation=0)
    tokens.put(tokens.key(credential("c")), identity("c"), generation=0)
    assert known(tokens, "a", "b", "c") == ["a", "c"]


def test_a_flood_of_bad_tokens_is_bounded_and_pushes_no_good_one_out(monkeypatch):
    monkeypatch.setattr(module, "MAX_REFUSED", 2)
    bad = {f"bad{i}": TokenAuthError(CloseReason.TOKEN_INVALID) for i in range(5)}
    tokens = remembered(good=identity("good"), **bad)
    assert known(tokens, "good", *bad) == ["good", "bad3", "bad4"]


def test_what_is_over_takes_no_room(clock):
    tokens = remembered(10.0, a=identity("a"), b=identity("b"))
    clock.now += 10
    tokens.put(tokens.key(credential("c")), identity("c"), generation=0)
    assert len(kept_by(tokens, Identity)) == 1


@pytest.mark.parametrize(
    "changes", [{"location": Location.COOKIE}, {"scheme": "bearer"}, {"scheme": None}]
)
def test_a_token_is_known_only_where_and_as_it_was_presented(changes):
    tokens = remembered(a=identity("a"))
    assert tokens.get(tokens.key(replace(credential("a"), **changes))) is None


def test_a_ticket_is_never_known():
    tokens = VerdictCache(10)
    ticket = replace(credential("a"), location=Location.TICKET)
    tokens.put(tokens.key(ticket), identity("a"), generation=0)
    assert tokens.get(tokens.key(ticket)) is None


def test_clear_forgets_all_and_what_was_asked_for_before_it():
    tokens = remembered(a=identity("a"), b=TokenAuthError(CloseReason.TOKEN_INVALID))
    before = tokens.generation
    tokens.clear()
    tokens.put(tokens.key(credential("c")), identity("c"), generation=before)
    assert known(tokens, "a", "b", "c") == []
    tokens.put(tokens.key(credential("c")), identity("c"), generation=tokens.generation)
    assert known(tokens, "c") == ["c"]


def test_no_token_is_kept():
    tokens = remembered(c4nary=identity("c4nary"))
    texts = kept_by(tokens, (str, bytes))
    assert texts
    assert "c4nary" not in repr(texts)


def test_verdict_is_for_one_origin():
    tokens, here = VerdictCache(10.0), replace(credential("a"), origin="https://a.example")
    tokens.put(tokens.key(here), identity("a"), generation=tokens.generation)
    assert tokens.get(tokens.key(here))
    assert not tokens.get(tokens.key(replace(here, origin="https://b.example")))
    assert not tokens.get(tokens.key(replace(here, origin=None)))
