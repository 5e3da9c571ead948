"""Events reach their subscribers. Without one, they are not built. None changes anything."""

import dataclasses

import pytest

from channels_token_auth.observability import events
from channels_token_auth.observability.events import (
    CacheHit,
    Event,
    MessageIgnored,
    emit,
    subscribe,
)

KINDS = [getattr(events, name) for name in events.__all__]
KINDS = [kind for kind in KINDS if isinstance(kind, type) and issubclass(kind, Event)]


@pytest.fixture
def subscribed():
    """Subscribe for the length of a test."""
    ends = []

    def subscribing(*arguments, **named):
        ends.append(subscribe(*arguments, **named))
        return ends[-1]

    yield subscribing
    for end in ends:
        end()


def test_subscriber_gets_the_event_that_was_emitted(subscribed):
    seen = []
    subscribed(MessageIgnored, seen.append)
    emit(event := MessageIgnored(reason="foreign"))
    emit(CacheHit())
    assert seen == [event]


def test_several_subscribers_each_get_it(subscribed):
    seen = []
    subscribed(CacheHit, lambda _: seen.append(1))
    subscribed(CacheHit, lambda _: seen.append(2))
    emit(CacheHit())
    assert seen == [1, 2]


def test_subscription_can_be_ended(subscribed):
    seen = []
    end = subscribed(CacheHit, seen.append)
    end()
    end()
    emit(CacheHit())
    assert seen == []
    assert not CacheHit.is_wanted()


def test_event_without_a_subscriber_is_not_wanted(subscribed):
    assert not CacheHit.is_wanted()
    subscribed(MessageIgnored, print)
    assert not CacheHit.is_wanted()


def test_subscriber_may_want_nothing_for_now(subscribed):
    wants = []
    subscribed(CacheHit, print, wants=lambda: bool(wants))
    assert not CacheHit.is_wanted()
    wants.append(1)
    assert CacheHit.is_wanted()


def test_subscriber_that_fails_is_logged_and_stops_nobody(subscribed, caplog):
    def fail(_):
        raise RuntimeError("broken")

    seen = []
    subscribed(CacheHit, fail)
    subscribed(CacheHit, seen.append)
    emit(CacheHit())
    assert len(seen) == 1
    assert [each.levelname for each in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Event])
def test_every_event_is_a_frozen_value(kind):
    assert kind.__dataclass_params__.frozen
    assert dataclasses.fields(kind) or kind is CacheHit
