"""A node's ear in the channel layer: one channel, in the one group of all nodes.

Delivery is at most once, and a membership may be lost without a word: so the node joins again at
each sweep, and after a failure has one at once.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from . import bus

__all__ = ["Control"]

LONGEST_PAUSE = 5.0
"""Seconds between two tries to reach a layer that is away."""

LEAVE_TIMEOUT = 1.0
logger = logging.getLogger("channels_token_auth")


class Control:
    """Listens until its task is cancelled. `recovered` is called when a layer is back."""

    def __init__(self, hear: Callable[..., None], recovered: Callable[[], None]) -> None:
        self._hear = hear
        self._recovered = recovered
        self._channel: str | None = None

    async def run(self) -> None:
        """Listen, whatever befalls the layer."""
        layer = bus.remote_layer()
        failures = 0
        while layer is not None:
            try:
                self._channel = await layer.new_channel()
                await self.join()
                if failures:
                    self._recovered()
                failures = 0
                await self._listen(layer, self._channel)
            except Exception as error:  # noqa: BLE001 - whatever a layer raises
                failures += 1
                if failures == 1:
                    _report(error)
            finally:
                await self._leave(layer)
            pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret

    async def join(self) -> None:
        """Be in the group. Raises what the layer raises."""
        layer = bus.remote_layer()
        if layer is not None and self._channel is not None:
            await layer.group_add(bus.GROUP, self._channel)

    async def _listen(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if not bus.is_own(message):
                reply_to = message.get("reply_to")
                self._hear(message, reply_to and partial(_reply, layer, reply_to))

    async def _leave(self, layer: Any) -> None:
        """Leave the group: in a channel that nobody listens to, messages would pile up."""
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(Exception):
                async with asyncio.timeout(LEAVE_TIMEOUT):
                    await layer.group_discard(bus.GROUP, channel)


def _report(error: Exception) -> None:
    logger.error("The channel layer is away: until it is back, only sweeps revoke. %r", error)


async def _reply(layer: Any, channel: str, answer: bus.Message) -> None:
    try:
        async with asyncio.timeout(bus.PUBLISH_TIMEOUT):
            await layer.send(channel, answer)
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        logger.warning("An answer did not reach the process that asked: %r", error)
