"""Verifications under way: one for each token, however many sockets wait for it, and a deadline.

All take equally long at most, so the first one started ends first: one timer is enough for all.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Flight", "SingleFlight"]


@dataclass(slots=True, eq=False)
class Flight:
    """One verification. `ends_at`: its deadline, on the clock of its event loop. `errand`: where
    it is at the moment, for whoever has started it.
    """

    ends_at: float
    waiting: list["asyncio.Future[Any]"] = field(default_factory=list)
    errand: Any = None

    def is_wanted(self) -> bool:
        """Return False once nobody waits: the clients are gone, or it was given up."""
        return not all(future.done() for future in self.waiting)


class SingleFlight:
    """The verifications of one event loop. After `timeout` seconds `give_up`, called with all that
    are late, returns the answer to them.
    """

    def __init__(self, timeout: float, give_up: Callable[[Sequence[Flight]], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._give_up = give_up
        self._under_way: dict[Flight, Hashable] = {}
        self._joinable: dict[Hashable, Flight] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, key: Hashable, start: Callable[[Flight], None]) -> "asyncio.Future[Any]":
        """Return the answer to come: of the verification under way with this key, else of a new
        one. `start` may land it at once.
        """
        future = self._loop.create_future()
        flight = self._joinable.get(key)
        # The same token is being verified already: share the answer, ask no backend.
        if flight is not None:
            flight.waiting.append(future)
            return future
        flight = self._joinable[key] = Flight(self._loop.time() + self._timeout, [future])
        self._under_way[flight] = key
        start(flight)
        # One timer for all: verifications have the same timeout, so the oldest ends first.
        if self._timer is None and self._under_way:
            self._timer = self._loop.call_at(flight.ends_at, self._run_out)
        return future

    def land(self, key: Hashable, flight: Flight, answer: Any) -> None:
        """Give the answer to all callers that wait; after a verification was given up, none do."""
        self._under_way.pop(flight, None)
        # After `forget`, a newer verification may have this key: leave it alone.
        if self._joinable.get(key) is flight:
            del self._joinable[key]
        # The errand refers to the flight: left here, both would wait for the garbage collector.
        flight.errand = None
        for future in flight.waiting:
            if not future.done():
                future.set_result(answer)

    def forget(self) -> None:
        """Let nobody join what is under way any more: the answer may have changed meanwhile."""
        self._joinable.clear()

    def _run_out(self) -> None:
        now, self._timer = self._loop.time(), None
        # Callers get an answer even if the store never gives one.
        late = [each for each in self._under_way.items() if each[0].ends_at <= now]
        if late:
            answer = self._give_up([flight for flight, _ in late])
            for flight, key in late:
                self.land(key, flight, answer)
        if self._under_way:
            first = next(iter(self._under_way))
            self._timer = self._loop.call_at(first.ends_at, self._run_out)
