"""Events reach their subscribers. Without one, they are not built. None changes anything."""

import dataclasses

import pytest

from channels_token_auth.observability import events
from channels_token_auth.observability.events import CacheHit, Event, emit, subscribe

KINDS = [getattr(events, name) for name in events.__all__]
KINDS = [kind for kind in KINDS if isinstance(kind, type) and issubclass(kind, Event)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Event):
    """A kind that nobody but these tests subscribes to."""

    number: int = 0


class Other(Probe):
    """Another kind."""


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
    subscribed(Other, seen.append)
    emit(event := Other(number=1))
    emit(Probe())
    assert seen == [event]


def test_subscriber_that_subscribes_again_gets_each_event_once(subscribed):
    seen = []
    subscribed(Probe, seen.append)
    subscribed(Probe, seen.append)
    emit(Probe())
    assert len(seen) == 1


def test_several_subscribers_each_get_it(subscribed):
    seen = []
    subscribed(Probe, lambda _: seen.append(1))
    subscribed(Probe, lambda _: seen.append(2))
    emit(Probe())
    assert seen == [1, 2]


def test_subscription_can_be_ended(subscribed):
    seen = []
    end = subscribed(Probe, seen.append)
    end()
    end()
    emit(Probe())
    assert seen == []
    assert not Probe.is_wanted()


def test_subscriber_that_wants_nothing_gets_nothing_when_another_does(subscribed):
    seen = []
    subscribed(Probe, lambda _: seen.append("unwanted"), wants=lambda: False)
    subscribed(Probe, lambda _: seen.append("wanted"), wants=lambda: True)
    emit(Probe())
    assert seen == ["wanted"]


def test_event_without_a_subscriber_is_not_wanted(subscribed):
    assert not Probe.is_wanted()
    subscribed(Other, print)
    assert not Probe.is_wanted()


def test_subscriber_may_want_nothing_for_now(subscribed):
    wants = []
    subscribed(Probe, print, wants=lambda: bool(wants))
    assert not Probe.is_wanted()
    wants.append(1)
    assert Probe.is_wanted()


def test_subscriber_that_fails_is_logged_and_stops_nobody(subscribed, caplog):
    def fail(_):
        raise RuntimeError("broken")

    seen = []
    subscribed(Probe, fail)
    subscribed(Probe, seen.append)
    emit(Probe())
    assert len(seen) == 1
    assert [each.levelname for each in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Event])
def test_every_event_is_a_frozen_value(kind):
    assert kind.__dataclass_params__.frozen
    assert dataclasses.fields(kind) or kind is CacheHit
