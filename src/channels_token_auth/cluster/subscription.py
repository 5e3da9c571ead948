"""Subscribe a node to the channel layer: one channel, in the one group of all nodes.

Delivery is at most once, and a membership may get lost without a word: the node joins again at each
sweep, and sweeps at once after an outage.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import envelope, layer
from .message import Message, Reply
from .requests import answered, reply_to

__all__ = ["Subscription"]

LONGEST_PAUSE = 5.0
"""Seconds between two tries to reach a layer that is unavailable."""

SAME_OUTAGE = 60.0
"""Seconds within which failures belong together, even if the layer was joined between them."""


class Subscription:
    """Receives for a node until its task is cancelled. `recovered` is called after an outage."""

    def __init__(
        self, hear: Callable[[Message, Reply | None], None], recovered: Callable[[], None]
    ) -> None:
        self._hear = hear
        self._recovered = recovered
        self.channel: str | None = None
        """Kept across outages, so that messages that were queued meanwhile are still delivered."""

    async def run(self) -> None:
        """Receive, whatever the layer does."""
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
                # The channel survives an outage; the membership of the group may not.
                await self._open(remote)
                await self.join()
                layer.note_success()
                if failures:
                    # Messages may be lost: the sweep finds what they reported.
                    self._recovered()
                await self._receive(remote)
            except Exception as error:  # noqa: BLE001 - whatever a layer raises
                # A layer that can be joined, and fails right after, must not reset the pause.
                is_same = time.monotonic() - failed_at < SAME_OUTAGE
                failures, failed_at = failures + 1 if is_same else 1, time.monotonic()
                layer.note_failure(error)
            # Bounded exponent: past a thousand failures a power of two is no float any more.
            pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret

    async def _open(self, remote: Any) -> None:
        if self.channel is None:
            self.channel = await layer.call(remote.new_channel())

    async def join(self) -> None:
        """Enter the group, once there is a channel. Raises what the layer raises."""
        remote = layer.remote_layer()
        if remote is not None and self.channel is not None:
            await layer.call(remote.group_add(layer.GROUP, self.channel))

    async def _receive(self, remote: Any) -> None:
        while True:
            message = envelope.open_(
                await layer.call(remote.receive(self.channel), is_bounded=False)
            )
            # Answers to this node's own questions arrive on the same channel.
            if message is not None and not answered(message):
                self._hear(message, reply_to(message))

    async def _leave(self) -> None:
        """Leave the group: messages would pile up in a channel that nobody reads."""
        channel, self.channel = self.channel, None
        if channel is None:
            return
        with suppress(Exception):
            await layer.call(layer.remote_layer().group_discard(layer.GROUP, channel))
