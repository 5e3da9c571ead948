import asyncio

import pytest

from channels_token_auth.verification import authenticator as module
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.worker import Worker


@pytest.fixture
def worker(monkeypatch):
    """A worker of this test's own, as outside a test runner."""
    monkeypatch.setattr(test_mode, "forced", False)
    fresh = Worker()
    monkeypatch.setattr(module, "worker", fresh)
    yield fresh
    threads = [thread for thread in (fresh._thread, *fresh._hanging) if thread]
    fresh._thread = None
    for _ in threads:
        fresh._inbox.put((lambda items: items, None, _closed_loop(), None))
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def _closed_loop():
    loop = asyncio.new_event_loop()
    loop.close()
    return loop
