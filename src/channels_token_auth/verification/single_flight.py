"""Verifications under way: one for each token, however many sockets wait for it, and a deadline.

All take equally long at most, so the first one started ends first: one timer is enough for all.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Flight", "SingleFlight"]


@dataclass(slots=True, eq=False)
class Flight:
    """One verification. `ends_at`: its deadline, on the clock of its event loop."""

    ends_at: float
    waiting: list["asyncio.Future[Any]"] = field(default_factory=list)


class SingleFlight:
    """Those of one event loop. `timeout`: seconds until `give_up()` says what is answered."""

    def __init__(self, timeout: float, give_up: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._give_up = give_up
        self._under_way: dict[Flight, Hashable] = {}
        self._joinable: dict[Hashable, Flight] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, key: Hashable, start: Callable[[Flight], None]) -> "asyncio.Future[Any]":
        """The answer to come: of the flight under way with this key, else of one just started."""
        flight = self._joinable.get(key)
        if flight is None:
            flight = self._joinable[key] = Flight(self._loop.time() + self._timeout)
            self._under_way[flight] = key
            start(flight)
            if self._timer is None:
                self._timer = self._loop.call_at(flight.ends_at, self._run_out)
        future = self._loop.create_future()
        flight.waiting.append(future)
        return future

    def land(self, key: Hashable, flight: Flight, answer: Any) -> None:
        """Tell all who wait for it. A flight that was given up has nobody any more."""
        self._under_way.pop(flight, None)
        if self._joinable.get(key) is flight:
            del self._joinable[key]
        for future in flight.waiting:
            if not future.done():
                future.set_result(answer)

    def forget(self) -> None:
        """Let nobody join what is under way any more: the answer may have changed meanwhile."""
        self._joinable.clear()

    def _run_out(self) -> None:
        now, self._timer = self._loop.time(), None
        late = [each for each in self._under_way.items() if each[0].ends_at <= now]
        if late:
            answer = self._give_up()
            for flight, key in late:
                self.land(key, flight, answer)
        if self._under_way:
            first = next(iter(self._under_way))
            self._timer = self._loop.call_at(first.ends_at, self._run_out)
