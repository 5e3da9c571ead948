"""Time that passes when a test says so, and the events of outages."""

import pytest

from channels_token_auth.backends.outages import introspection_outages, key_outages
from channels_token_auth.clock import clock
from channels_token_auth.observability.events import OutageBegan, OutageEnded, subscribe


class Steady:
    """The library's steady clock, moved by hand."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def steady(monkeypatch):
    fake = Steady()
    monkeypatch.setattr(clock, "steady", fake)
    return fake


@pytest.fixture(autouse=True)
def _no_outages():
    """End the outages of servers that are gone after the test."""
    yield
    key_outages.reset()
    introspection_outages.reset()


@pytest.fixture
def outage_events():
    """The events of outages, as they are emitted."""
    events = []
    ends = [subscribe(kind, events.append) for kind in (OutageBegan, OutageEnded)]
    yield events
    for end in ends:
        end()
