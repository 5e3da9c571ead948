"""Interrupt an await from another task, as `asyncio.timeout` does after its time.

The name is Trio's and AnyIO's. The rules are those of `asyncio.timeout`: the scope cancels its task
and counts the task's other cancellations (`Task.cancelling`), so that it never swallows one that
other code has requested.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

__all__ = ["CancelScope"]


class CancelScope:
    """A block that ends without an exception if only `interrupt` has cancelled it.

    It may be entered many times, by one task at a time, in the event loop that it was created in.
    """

    __slots__ = ("_cancelling", "_interrupted", "loop", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        """The event loop that it belongs to."""
        self.task: asyncio.Task[Any] | None = None
        """The task in the block, if there is one."""
        self._interrupted = False

    def __enter__(self) -> Self:
        # With the loop: before Python 3.12, finding it takes a system call, three times as long.
        self.task = task = asyncio.current_task(self.loop)
        # Python counts the requests to cancel a task. `__exit__` compares with the count of now, to
        # see whether other code has made a request too.
        self._cancelling = task.cancelling()  # type: ignore[union-attr]  # tasks only await this
        return self

    def interrupt(self) -> None:
        """Cancel the await of the task in the block, if there is one. Further calls do nothing."""
        if self.task and not self._interrupted:
            self._interrupted = True
            # Once only: each `cancel` raises the count, and `__exit__` takes back a single one.
            self.task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        task, self.task = self.task, None
        if not self._interrupted:
            return False
        self._interrupted = False
        # A higher count: other code has cancelled the task too, and it has to end.
        is_ours = task.uncancel() <= self._cancelling  # type: ignore[union-attr]  # as above
        return is_ours and kind is asyncio.CancelledError
