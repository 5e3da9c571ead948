"""Provide a clock that a test moves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ..clock import Clock, clock
from ..node.deadlines import deadlines

__all__ = ["FrozenClock", "frozen_clock"]


class FrozenClock(Clock):
    """The library's clock, at a whole second, moved by hand."""

    def __init__(self) -> None:
        self._steady = float(int(clock.steady()))
        self._calendar = float(int(clock.calendar()))

    def steady(self) -> float:
        return self._steady

    def calendar(self) -> float:
        return self._calendar

    async def move(self, seconds: float, *, calendar_only: bool = False) -> None:
        """Let time pass at once: this event loop's sockets are warned, or closed.

        `calendar_only`: as where a machine slept; less than 0, as where its clock was set back.
        """
        self._calendar += seconds
        self._steady += 0 if calendar_only else seconds
        deadlines().run()
        await asyncio.sleep(0)  # they send what they have to


@contextmanager
def frozen_clock() -> Iterator[FrozenClock]:
    """Stop the clock of sockets, fake tokens and JWTs. Enter it before the first socket opens."""
    frozen = FrozenClock()
    with mock.patch.multiple(clock, steady=frozen.steady, calendar=frozen.calendar):
        yield frozen
