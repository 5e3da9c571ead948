"""Replace the library's clock by one that a test moves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ..clock import Clock, clock
from ..node.deadlines import deadlines

__all__ = ["FrozenClock", "frozen_clock"]


class FrozenClock(Clock):
    """The library's clock, stopped at a whole second. A test moves it."""

    def __init__(self) -> None:
        # At a whole second, because tokens have whole seconds: a test can compare for equality.
        self._steady = float(int(clock.steady()))
        self._calendar = float(int(clock.calendar()))

    def steady(self) -> float:
        """Return seconds that never go back, for deadlines."""
        return self._steady

    def calendar(self) -> float:
        """Return seconds since the epoch, for the times in tokens."""
        return self._calendar

    async def move(self, seconds: float, *, calendar_only: bool = False) -> None:
        """Let time pass at once. The sockets of this event loop are warned or closed, if due.

        `calendar_only`: move only the calendar, as if the machine had slept; with negative seconds,
        as if its clock had been set back.
        """
        self._calendar += seconds
        self._steady += 0 if calendar_only else seconds
        # Their timer runs on the event loop's own clock, which this one does not move.
        deadlines().run()
        await asyncio.sleep(0)  # lets the sockets send their messages


@contextmanager
def frozen_clock() -> Iterator[FrozenClock]:
    """Stop the clock of sockets, fake tokens and JWTs. Enter it before the first socket opens."""
    # The object is patched and not replaced: modules have imported it by name.
    frozen = FrozenClock()
    with mock.patch.multiple(clock, steady=frozen.steady, calendar=frozen.calendar):
        yield frozen
