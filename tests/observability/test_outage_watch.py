"""An outage is logged and emitted once when it begins, and once when it ends."""

import logging

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.observability import outage_watch
from channels_token_auth.observability.events import OutageBegan, OutageEnded, subscribe
from channels_token_auth.observability.outage_watch import OutageWatch
from channels_token_auth.observability.outages import current_outages


@pytest.fixture
def watch():
    return OutageWatch("cache", began="%r down: %s", ended="%r up")


@pytest.fixture
def seen():
    events = []
    ends = [subscribe(kind, events.append) for kind in (OutageBegan, OutageEnded)]
    yield events
    for end in ends:
        end()


def fail(watch, name="default", error=None):
    with pytest.raises(type(error or OSError())), watch.watch(name):
        raise error or OSError("refused")


def succeed(watch, name="default"):
    with watch.watch(name):
        pass


def test_outage_is_emitted_when_it_begins_and_when_it_ends(watch, seen, caplog):
    for step in (succeed, fail, fail, succeed, succeed):
        step(watch)
    began = OutageBegan(service="cache", name="default", error="OSError: refused")
    assert seen == [began, OutageEnded(service="cache", name="default")]
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]


def test_outage_that_comes_again_at_once_is_emitted_and_not_logged(watch, seen, caplog):
    for step in (fail, succeed, fail, succeed):
        step(watch)
    assert len(seen) == 4
    assert len(caplog.records) == 2


def test_services_are_distinguished_by_name(watch, seen):
    fail(watch, "a")
    succeed(watch, "b")
    assert len(seen) == 1
    succeed(watch, "a")
    assert len(seen) == 2


def test_outage_of_a_shared_name_ends_with_the_last_service_that_fails(watch, seen, caplog):
    watch.failed("a", OSError(), of=1)
    watch.failed("a", OSError(), of=2)
    for of in (1, 3):
        watch.works("a", of=of)
        assert [type(each) for each in seen] == [OutageBegan]
    watch.works("a", of=2)
    assert [type(each) for each in seen] == [OutageBegan, OutageEnded]
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]


def test_refusal_is_an_answer(watch, seen):
    fail(watch, error=TokenAuthError(CloseReason.RATE_LIMITED, 30))
    assert seen == []


def test_cause_is_named_where_there_is_one(watch, seen):
    error = RuntimeError()
    error.__cause__ = ConnectionError("redis://:secret@localhost refused")
    fail(watch, error=error)
    assert "ConnectionError" in seen[0].error
    assert "secret" not in seen[0].error


def test_reset_ends_the_outage(watch):
    fail(watch, "mine")
    assert "mine" in {each.name for each in current_outages()}
    watch.reset()
    assert "mine" not in {each.name for each in current_outages()}


def test_service_that_is_not_asked_any_more_is_not_down_for_ever(watch, seen, caplog, monkeypatch):
    """A cache that has tickets only may be asked once a day."""
    fail(watch, "rarely asked")
    assert "rarely asked" in {each.name for each in current_outages()}
    monkeypatch.setattr(outage_watch, "STALE", 0.0)
    assert "rarely asked" not in {each.name for each in current_outages()}
    ours = [type(each) for each in seen if each.name == "rarely asked"]
    assert ours == [OutageBegan, OutageEnded]
    # Nobody has asked it, so that nobody knows that it answers.
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


def test_service_that_goes_on_failing_stays_down(watch, seen, monkeypatch):
    now = 1_000.0  # whole seconds add up exactly
    monkeypatch.setattr(outage_watch.time, "monotonic", lambda: now)
    fail(watch)
    now += outage_watch.STALE - 1
    fail(watch)
    now += outage_watch.STALE - 1
    watch.end_stale()
    assert len(seen) == 1
    now += 1
    watch.end_stale()
    assert len(seen) == 2
