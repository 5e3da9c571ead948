"""Share one verification of a token among all sockets that present it, within a deadline.

All verifications have the same timeout, so their deadlines are in the order of their starts: one
timer is enough for all.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "SingleFlight"]


@dataclass(slots=True, eq=False)
class Call:
    """One verification. `ends_at`: its deadline, on the clock of its event loop. `errand`: its work
    in a lane, set by the caller that started it.
    """

    ends_at: float
    waiting: list["asyncio.Future[Any]"] = field(default_factory=list)
    errand: Any = None

    def is_wanted(self) -> bool:
        """Return False once no caller waits: the clients have left, or it was given up."""
        return not all(future.done() for future in self.waiting)


class SingleFlight:
    """The verifications of one event loop. `give_up` is called with those that have taken `timeout`
    seconds, and returns their answer.
    """

    def __init__(self, timeout: float, give_up: Callable[[Sequence[Call]], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._give_up = give_up
        self._under_way: dict[Call, Hashable] = {}
        self._joinable: dict[Hashable, Call] = {}
        self._timer: asyncio.TimerHandle | None = None

    def join(self, key: Hashable, start: Callable[[Call], None]) -> "asyncio.Future[Any]":
        """Return the future of the running verification with this key, or start a new one. `start`
        may call `finish` at once.
        """
        future = self._loop.create_future()
        call = self._joinable.get(key)
        # The same token is being verified already: share that verdict.
        if call is not None:
            call.waiting.append(future)
            return future
        call = self._joinable[key] = Call(self._loop.time() + self._timeout, [future])
        self._under_way[call] = key
        try:
            start(call)
        except BaseException:
            # Nothing would answer it, and callers with the same key would join it for ever.
            self._remove(key, call)
            raise
        # A timer that is set is due earlier, since the oldest verification has the first deadline.
        if self._timer is None and self._under_way:
            self._timer = self._loop.call_at(call.ends_at, self._run_out)
        return future

    def finish(self, key: Hashable, call: Call, answer: Any) -> None:
        """Set the answer of all callers that still wait: none, if it was given up before."""
        self._remove(key, call)
        # The errand refers to the call. Break the cycle, so that no garbage collector is needed.
        call.errand = None
        for future in call.waiting:
            if not future.done():
                future.set_result(answer)

    def forget(self) -> None:
        """Let no caller join a running verification: its answer may be outdated."""
        self._joinable.clear()

    def _remove(self, key: Hashable, call: Call) -> None:
        self._under_way.pop(call, None)
        # After `forget`, this key may belong to a newer verification: keep that one.
        if self._joinable.get(key) is call:
            del self._joinable[key]

    def _run_out(self) -> None:
        now, self._timer = self._loop.time(), None
        # Answer callers even if the store never answers.
        late = [each for each in self._under_way.items() if each[0].ends_at <= now]
        if late:
            answer = self._give_up([call for call, _ in late])
            for call, key in late:
                self.finish(key, call, answer)
        if self._under_way:
            first = next(iter(self._under_way))
            self._timer = self._loop.call_at(first.ends_at, self._run_out)
