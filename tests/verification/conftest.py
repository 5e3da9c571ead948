import pytest

from channels_token_auth.verification import test_mode, verifier
from channels_token_auth.verification.lanes import Lanes


@pytest.fixture
def lanes(monkeypatch):
    """Lanes of this test's own, as outside a test runner."""
    monkeypatch.setattr(test_mode, "forced", False)
    fresh = Lanes()
    monkeypatch.setattr(verifier, "lanes", fresh)
    yield fresh
    fresh.end()
