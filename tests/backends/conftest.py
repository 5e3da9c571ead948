"""Time for tests of what happens later: it passes when a test says so."""

import pytest

from channels_token_auth.clock import clock


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
