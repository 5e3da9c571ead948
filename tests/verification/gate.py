"""Hold work in a lane until a test lets it go on, and let time pass meanwhile."""

import asyncio
import threading

import pytest

from channels_token_auth.clock import clock

__all__ = ["Gate", "let_pass", "until"]


class Gate:
    """Holds the first batch until it is opened."""

    def __init__(self):
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, items):
        if not self.entered.is_set():
            self.entered.set()
            assert self.opened.wait(60)
        return items


async def until(event: threading.Event) -> None:
    """Wait for the event of another thread."""
    assert await asyncio.to_thread(event.wait, 60)


def let_pass(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let deadlines end at once: those of the running event loop, and those of the lanes.

    A deadline that ends by itself may do so before the work has begun, on a slow machine.
    """
    loop = asyncio.get_running_loop()
    turns, steady = loop.time, clock.steady
    monkeypatch.setattr(loop, "time", lambda: turns() + seconds)
    monkeypatch.setattr(clock, "steady", lambda: steady() + seconds)
