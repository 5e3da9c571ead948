"""Verifications under way: one for each token, however many sockets wait for it, and a deadline.

All take equally long at most, so the first one started ends first: one timer is enough for all.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Flight", "Flights"]


@dataclass(slots=True, eq=False)
class Flight:
    """One verification. `ends_at`: its deadline, on the clock of its event loop."""

    ends_at: float
    waiting: list["asyncio.Future[Any]"] = field(default_factory=list)


class Flights:
    """Those of one event loop. `timeout`: seconds until `give_up()` says what is answered."""

    def __init__(self, timeout: float, give_up: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._give_up = give_up
        self._under_way: dict[Hashable, Flight] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, key: Hashable, start: Callable[[Flight], None]) -> "asyncio.Future[Any]":
        """The answer to come: of the flight under way with this key, else of one just started."""
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = Flight(self._loop.time() + self._timeout)
            start(flight)
            if self._timer is None:
                self._timer = self._loop.call_at(flight.ends_at, self._run_out)
        future = self._loop.create_future()
        flight.waiting.append(future)
        return future

    def land(self, key: Hashable, flight: Flight, answer: Any) -> None:
        """Tell all who wait for it. A flight that was given up has nobody any more."""
        if self._under_way.get(key) is flight:
            del self._under_way[key]
        for future in flight.waiting:
            if not future.done():
                future.set_result(answer)

    def _run_out(self) -> None:
        now, self._timer = self._loop.time(), None
        late = [each for each in self._under_way.items() if each[1].ends_at <= now]
        if late:
            answer = self._give_up()
            for key, flight in late:
                self.land(key, flight, answer)
        if self._under_way:
            first = next(iter(self._under_way.values()))
            self._timer = self._loop.call_at(first.ends_at, self._run_out)
