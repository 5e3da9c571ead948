"""Close many sockets of one event loop: all sockets first, and only then end their applications.

What an application does at its end, such as leaving its groups, would delay the closes of the
others: those of 10,000 stock consumers of Channels for eight seconds instead of two.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from ..core.close_codes import CloseReason
from ..observability.error_log import log_error
from ..observability.events import Cause, SocketsClosed, emit
from ..tasks import spawn
from .member import Member

__all__ = ["SLICE", "BulkClose"]

SLICE = 500
"""Sockets that are closed, and applications that end, before the event loop serves others."""


class BulkClose:
    """The closes of one node: of revocations, of sweeps and of a drain. Used in its event loop."""

    def __init__(self) -> None:
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def close(
        self,
        members: list[Member],
        code: CloseReason,
        *,
        cause: Cause,
        since: float | None = None,
        only_if: Callable[[Member], bool] = lambda _: True,
        done: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Close these sockets. Takes over the list, so that none is kept for longer than needed.

        `cause` and `since` (seconds since the epoch, if known) are for the event `SocketsClosed`,
        which is emitted here, so that there is no bulk close without one. `only_if` is called again
        for each socket, just before: it may have another token by then. `done` gets the number of
        sockets that were closed, once for each slice.
        """

        def close_slice() -> None:
            closed = _close_slice(members, code, only_if)
            done(closed)
            # The closes are sent by tasks, which begin before the event is emitted: so its time is
            # that at which the server got them.
            if closed and SocketsClosed.is_wanted():
                loop = asyncio.get_running_loop()
                loop.call_soon(_emit, cause, code, closed, since)

        # A single slice needs no task: most revocations close a few sockets.
        if len(members) > SLICE:
            self._running += 1
            spawn(self._close_in_slices(members, close_slice))
        else:
            close_slice()

    async def turn(self) -> None:
        """Wait until the running bulk closes are done.

        Called before an application gets its `websocket.disconnect`.
        """
        # All sockets close before the first application gets its disconnect, so that a slow
        # application delays no close.
        if self._running:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    async def _close_in_slices(
        self, members: list[Member], close_slice: Callable[[], None]
    ) -> None:
        try:
            while members:
                close_slice()
                # Let other sockets exchange frames between two slices.
                await asyncio.sleep(0)
        finally:
            self._running -= 1
            if not self._running:
                self._release()

    def _release(self) -> None:
        """Let waiting applications go on, some in each turn of the event loop."""
        for _ in range(min(SLICE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():  # its application was not cancelled meanwhile
                turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._release)


def _close_slice(
    members: list[Member], code: CloseReason, only_if: Callable[[Member], bool]
) -> int:
    """Close the last sockets of the list, take them off it, and return how many were closed."""
    closed = 0
    # From the end: removing there moves no other entries.
    for member in members[-SLICE:]:
        try:
            if only_if(member):
                member.close(code)
                closed += 1
        except Exception as error:  # noqa: BLE001 - one that fails must not spare the others
            log_error("A socket could not be closed.", error)
    del members[-SLICE:]
    return closed


def _emit(cause: Cause, code: CloseReason, count: int, since: float | None) -> None:
    seconds = None if since is None else time.time() - since
    emit(SocketsClosed(cause=cause, code=code, count=count, seconds=seconds))
