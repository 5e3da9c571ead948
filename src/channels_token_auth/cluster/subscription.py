"""A node's ear in the channel layer: one channel, in the one group of all nodes.

Delivery is at most once, and a membership may be lost without a word: so the node joins again at
each sweep, and after a failure has one at once.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import pubsub

__all__ = ["Subscription"]

LONGEST_PAUSE = 5.0
"""Seconds between two tries to reach a layer that is away."""

SAME_OUTAGE = 60.0
"""Seconds within which failures belong together, though a layer may be joined between them."""

LEAVE_TIMEOUT = 1.0
logger = logging.getLogger("channels_token_auth")


class Subscription:
    """Listens until its task is cancelled. `recovered` is called when a layer is back."""

    def __init__(self, hear: Callable[..., None], recovered: Callable[[], None]) -> None:
        self._hear = hear
        self._recovered = recovered
        self.channel: str | None = None
        """The same for good: what was sent meanwhile is found there when a layer is back."""

    async def run(self) -> None:
        """Listen, whatever befalls the layer."""
        layer = pubsub.remote_layer()
        try:
            await self._listen_again_and_again(layer)
        finally:
            await self._leave(layer)

    async def _listen_again_and_again(self, layer: Any) -> None:
        failures, failed_at = 0, 0.0
        while layer is not None:
            try:
                self.channel = self.channel or await layer.new_channel()
                await self.join()
                if failures:
                    self._recovered()
                await self._listen(layer, self.channel)
            except Exception as error:  # noqa: BLE001 - whatever a layer raises
                is_same = time.monotonic() - failed_at < SAME_OUTAGE
                failures, failed_at = failures + 1 if is_same else 1, time.monotonic()
                if failures == 1:
                    _report(error)
            pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret

    async def join(self) -> None:
        """Be in the group. Raises what the layer raises."""
        layer = pubsub.remote_layer()
        if layer is not None and self.channel is not None:
            await layer.group_add(pubsub.GROUP, self.channel)

    async def _listen(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if "asked" in message:
                pubsub.answered(message)
            elif not pubsub.is_own(message):
                self._hear(message, _reply_to(layer, message))

    async def _leave(self, layer: Any) -> None:
        """Leave the group: in a channel that nobody listens to, messages would pile up."""
        channel, self.channel = self.channel, None
        if channel is not None:
            with suppress(Exception):
                async with asyncio.timeout(LEAVE_TIMEOUT):
                    await layer.group_discard(pubsub.GROUP, channel)


def _report(error: Exception) -> None:
    logger.error("The channel layer is away: until it is back, only sweeps revoke. %r", error)


def _reply_to(layer: Any, question: pubsub.Message) -> pubsub.Reply | None:
    """Takes the answer to where it is waited for; None where it is not."""
    channel, asked = question.get("reply_to"), question.get("asked_as")

    async def reply(answer: pubsub.Message) -> None:
        try:
            async with asyncio.timeout(pubsub.PUBLISH_TIMEOUT):
                await layer.send(channel, {**answer, "asked": asked})
        except Exception as error:  # noqa: BLE001 - whatever a layer raises
            logger.warning("An answer did not reach the process that asked: %r", error)

    return reply if channel else None
