"""An await that can be called off from outside, as `asyncio.timeout` does it."""

import asyncio
from types import TracebackType
from typing import Self, cast

__all__ = ["Wait"]


class Wait:
    """Leaves the block silently when it was we who cancelled, and nobody else did."""

    __slots__ = ("_cancelling", "_interrupted", "_task")

    def __enter__(self) -> Self:
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._interrupted = False
        return self

    def interrupt(self) -> None:
        """Cancel the await. A second time it is cancelled already."""
        if not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        if not self._interrupted:
            return False
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError
