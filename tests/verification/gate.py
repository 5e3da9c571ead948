"""Hold work in a lane until a test lets it go on."""

import asyncio
import threading

__all__ = ["Gate", "until"]


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
