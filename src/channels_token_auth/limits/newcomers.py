"""Let only some opening handshakes begin in one turn of the event loop.

When thousands of clients reconnect at once, an event loop would run all their handshakes in one
turn, and every connected user would wait for all of them. So the others wait here, in the order of
their arrival, while the loop handles the frames of connected users between two turns. Nothing is
lost by it: the same work is done in smaller portions. In quiet times nobody waits.

The next portion begins when the loop has nothing else to do, or after `MAX_YIELD` seconds. Until
then the loop is busy with connected users and with handshakes that have begun, so that no time is
lost. A loop that sleeps also lets go of Python's lock, which a server's threads need to pass on the
frames that they have read.

They also wait while many verifications wait for their thread: more would only wait there, each
with a place among the waiting sockets, whose number is limited (`LIMITS`).

The line is bounded: a client for which it is too long is asked to come again, instead of waiting
for an answer that comes when it has left.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable

from ..core.errors import Detail, TokenAuthError
from ..core.identity import unavailable

__all__ = ["AT_ONCE", "BEHIND", "FULL", "MAX_WAITING", "Newcomers", "overrun"]

AT_ONCE = 32
"""Opening handshakes that begin in one turn. All of them run before the next frame of a connected
user: with many more, those users would wait too long. With far fewer, batches of verifications
would be small, and each batch costs a query."""

MAX_WAITING = 10_000
"""Handshakes that wait at most. A process handles as many in about AUTH_TIMEOUT: those behind them
would be refused when their turn came."""

BEHIND = 16
"""The line is held while so many verifications wait for their thread: a batch worth a query.
With more, clients were served no sooner, and connected users waited longer."""

FULL = 128
"""The limit instead of `BEHIND` while the event loop is idle, because the thread waits for its
database: the largest batch of one query."""

PAUSE = 0.001
"""Seconds between two looks at the backlog while the line is held."""

IDLE = 2
"""The number of looks in succession without a delay after which the event loop counts as idle."""

MAX_HOLD = 0.05
"""The most seconds for which the line is held between two portions. A database that hangs must not
keep out clients whose tokens need no query."""

MAX_YIELD = 0.02
"""The most seconds for which the line is held while the event loop is busy. A portion takes 10 to
20 ms until its first messages are answered, so that holding the line lets no time pass unused."""

OVERRUN = Detail(
    slug="too_many_handshakes",
    remedy="More clients connect to this process than it can handle within AUTH_TIMEOUT: start more"
    " processes, or have the clients spread their reconnections.",
)


def overrun() -> TokenAuthError:
    """Return the refusal of a handshake that could not begin in time."""
    return unavailable(OVERRUN)


class Newcomers:
    """The opening handshakes of one event loop that have not begun yet.

    `backlog`: returns how many verifications wait for a thread of this process.
    `max_hold`: see `MAX_HOLD`.
    """

    def __init__(self, backlog: Callable[[], int], *, max_hold: float = MAX_HOLD) -> None:
        self._loop = asyncio.get_running_loop()
        self._backlog = backlog
        self._max_hold = max_hold
        self._begun = 0
        self._began_at = 0.0
        self._looks_in_time = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        """Return how many wait for their turn."""
        return len(self._waiting)

    def may_begin(self) -> bool:
        """Let one more begin in this turn, or return False: then it must wait for `turn`."""
        # As long as some wait, each turn is full: nobody overtakes them.
        if self._begun >= AT_ONCE:
            return False
        if not self._begun:
            self._loop.call_soon(self._next_turn)
            if self._must_hold():
                self._begun = AT_ONCE
                return False
        self._begun += 1
        return True

    async def turn(self) -> float:
        """Wait until all that came before have begun. Return the seconds that it took.

        Infinity, at once: the line is full.
        """
        if len(self._waiting) >= MAX_WAITING:
            return math.inf
        came_at = self._loop.time()
        turn = self._loop.create_future()
        self._waiting.append(turn)
        await turn
        return self._loop.time() - came_at

    def _next_turn(self) -> None:
        if self._waiting and self._must_hold():
            due = self._loop.time() + PAUSE
            self._loop.call_at(due, self._look_again, due)
            return
        self._begun = 0
        while self._waiting and self._begun < AT_ONCE:
            turn = self._waiting.popleft()
            if not turn.done():  # unless the server has cancelled it
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            self._loop.call_soon(self._next_turn)

    def _look_again(self, due: float) -> None:
        """Look at the backlog after a pause, which a busy event loop ends later than `due`."""
        is_in_time = self._loop.time() - due < PAUSE
        self._looks_in_time = self._looks_in_time + 1 if is_in_time else 0
        self._next_turn()

    def _must_hold(self) -> bool:
        """Return True if no handshake should begin yet: the event loop is busy, or too many
        verifications wait.

        Called before each portion. False after `max_hold` seconds in any case.
        """
        now = self._loop.time()
        held = now - self._began_at
        # If nobody waits, the one that has just come begins at once.
        if self._waiting and not self._looks_in_time and held < MAX_YIELD:
            return True
        most = FULL if self._looks_in_time >= IDLE else BEHIND
        if self._backlog() >= most and held < self._max_hold:
            return True
        self._began_at, self._looks_in_time = now, 0
        return False
