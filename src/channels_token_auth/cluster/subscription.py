"""Subscribe a node to the channel layer: with one channel, in the group of all nodes.

Layers deliver a message at most once, and may lose a membership without an error. So the node joins
the group again at each sweep, and sweeps at once after an outage.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import envelope, layer
from .freshness import Freshness
from .message import Message, Reply
from .requests import answered, reply_to

__all__ = ["Subscription"]

LONGEST_PAUSE = 5.0
"""Most seconds between two attempts to reach a layer that is unavailable."""

SAME_OUTAGE = 60.0
"""Seconds within which failures belong to one outage, even if a join succeeded in between."""


class Subscription:
    """Receives for a node until its task is cancelled. `recovered` is called after an outage."""

    def __init__(
        self, handle: Callable[[Message, Reply | None], None], recovered: Callable[[], None]
    ) -> None:
        self._handle = handle
        self._recovered = recovered
        self._freshness = Freshness()
        self.channel: str | None = None
        """Kept during outages, so that messages that were queued meanwhile are still delivered."""

    async def run(self) -> None:
        """Receive until the task is cancelled. Errors of the layer are logged."""
        try:
            await self._receive_again_and_again()
        finally:
            await self._leave()

    async def _receive_again_and_again(self) -> None:
        failures, failed_at = 0, 0.0
        while True:
            try:
                remote = layer.remote_layer()
                if remote is None:
                    return
                # The channel still exists after an outage, but the membership may be lost.
                await self._open(remote)
                await self.join()
                layer.note_success()
                if failures:
                    # Messages may be lost: a sweep finds the revocations that they reported.
                    self._recovered()
                await self._receive(remote)
            except Exception as error:  # noqa: BLE001 - whatever a layer raises
                # A layer that fails right after a join must not reset the pause to the shortest
                # one.
                is_same = time.monotonic() - failed_at < SAME_OUTAGE
                failures, failed_at = failures + 1 if is_same else 1, time.monotonic()
                layer.note_failure(error)
            # Bound the exponent: 0.1 * 2 ** 1024 raises OverflowError.
            pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret

    async def _open(self, remote: Any) -> None:
        if self.channel is None:
            self.channel = await layer.call(remote.new_channel())

    async def join(self) -> None:
        """Join the group, if there is a channel. Raises the layer's exceptions."""
        remote = layer.remote_layer()
        if remote is not None and self.channel is not None:
            await layer.call(remote.group_add(layer.GROUP, self.channel))

    async def _receive(self, remote: Any) -> None:
        while True:
            message = envelope.open_(
                await layer.call(remote.receive(self.channel), is_bounded=False), self._freshness
            )
            # Answers to this node's own questions arrive on the same channel.
            if message is not None and not answered(message):
                self._handle(message, reply_to(message))

    async def _leave(self) -> None:
        """Leave the group: otherwise messages would pile up in a channel without a reader."""
        channel, self.channel = self.channel, None
        if channel is None:
            return
        with suppress(Exception):
            await layer.call(layer.remote_layer().group_discard(layer.GROUP, channel))
