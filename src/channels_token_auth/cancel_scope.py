"""An await that can be called off from outside, as `asyncio.timeout` does it."""

import asyncio
from types import TracebackType
from typing import Any, Self

__all__ = ["CancelScope"]


class CancelScope:
    """Leaves the block silently when it was we who cancelled, and nobody else did.

    It may be entered again and again, by one task at a time, in the event loop it was made in.
    """

    __slots__ = ("_cancelling", "_interrupted", "_loop", "_task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._interrupted = False

    @property
    def is_pending(self) -> bool:
        """Return True while a task is in the block."""
        return self._task is not None

    def __enter__(self) -> Self:
        # Before Python 3.12 it takes a system call to find the loop: three times as long.
        self._task = task = asyncio.current_task(self._loop)
        self._cancelling = task.cancelling()  # type: ignore[union-attr]  # tasks only await this
        return self

    def interrupt(self) -> None:
        """Cancel the await, if there is one. A second time it is cancelled already."""
        if self._task and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        if not self._interrupted:
            return False
        self._interrupted = False
        is_ours = task.uncancel() <= self._cancelling  # type: ignore[union-attr]  # as above
        return is_ours and kind is asyncio.CancelledError
