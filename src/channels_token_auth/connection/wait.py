"""The future of one event, which gives the event back if its awaiting task is cancelled.

A task can be cancelled in the same turn of the event loop in which its future got a result, as by
`asyncio.timeout`. The task resumes with the cancellation only, and nothing refers to the event any
more. `asyncio.Queue.get` leaves its item in the queue in this case; so does a `Wait`.
"""

import asyncio
from collections.abc import Generator
from typing import Any, Protocol

from ..core.asgi_types import Message

__all__ = ["Keeper", "Wait"]


class Keeper(Protocol):
    """The object that made the future. A method alone would be an object for each wait."""

    def keep(self, event: Message) -> None:
        """Keep an event, and return it by the next wait."""


class Wait(asyncio.Future[Message]):
    """A future to be awaited by one task. `asyncio.wait` and `result()` work as on any future."""

    __slots__ = ("_keeper",)

    def __init__(self, keeper: Keeper, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._keeper = keeper

    def __await__(self) -> Generator[Any, None, Message]:
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            # A cancelled future, or one with an error, has no event.
            if self.done() and not self.cancelled() and self.exception() is None:
                self._keeper.keep(self.result())
            raise
