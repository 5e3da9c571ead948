"""Closing many sockets of one event loop: all of them first, and only then their applications.

What an application has to do at its end, to leave its groups for example, would hold up the closes
of the others: those of 10,000 stock consumers of Channels for eight seconds instead of two.
"""

import asyncio
from collections import deque
from typing import Any

from ..core.revocation import Revocation
from ..tasks import spawn

__all__ = ["SLICE", "BulkClose"]

SLICE = 500
"""Sockets closed, and applications told of it, before others get their turn."""


class BulkClose:
    """Its methods are called in its event loop."""

    def __init__(self) -> None:
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def close(self, found: list[Any], ending: Revocation) -> None:
        """Close these sockets, and keep none of them."""
        if len(found) > SLICE:
            self._under_way += 1
            spawn(self._close_in_slices(found, ending))
        else:
            _close_slice(found, ending)

    async def turn(self) -> None:
        """Wait, as long as many are being closed: for an application that is to hear of its end."""
        if self._under_way:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    async def _close_in_slices(self, found: list[Any], ending: Revocation) -> None:
        try:
            while found:
                _close_slice(found, ending)
                await asyncio.sleep(0)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._release()

    def _release(self) -> None:
        """Let applications go on, some in each turn of the event loop."""
        for _ in range(min(SLICE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():  # its application was not cancelled meanwhile
                turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._release)


def _close_slice(found: list[Any], ending: Revocation) -> None:
    for connection in found[-SLICE:]:
        if ending.target.matches(connection):  # not reauthenticated meanwhile
            connection.close(ending.code)
    del found[-SLICE:]
