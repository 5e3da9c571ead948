"""What happened to a socket or a token, told twice: a log record, and a signal for who listens."""

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from django.dispatch import Signal

from .. import signals
from ..tasks import is_in_loop, spawn

__all__ = ["LOGGER", "Audit", "tell_now"]

LOGGER = "channels_token_auth.audit"
MAX_WAITING = 10_000
"""Signals that wait for slow receivers at most: of more, the newest are dropped, and counted."""

logger = logging.getLogger(LOGGER)
_EVENTS = {getattr(signals, name): name for name in signals.__all__}
Fields = Mapping[str, Any]


class Audit:
    """An event loop's: receivers are called one after the other, in order, beside the sockets."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Signal, Fields]] = deque()
        self._is_running = False
        self._dropped = 0

    def tell(self, signal: Signal, fields: Callable[[], Fields]) -> None:
        """Tell of it; `fields` are asked for only if anybody wants to know."""
        is_heard = bool(signal.receivers)
        if not is_heard and not logger.isEnabledFor(logging.INFO):
            return
        told = fields()
        _log(signal, told)
        if not is_heard:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append((signal, told))
        if not self._is_running:
            self._is_running = True
            spawn(self._send())

    async def _send(self) -> None:
        while self._waiting:
            signal, told = self._waiting.popleft()
            await signal.asend_robust(None, **told)
        self._is_running = False
        if self._dropped:
            logger.error("Receivers were too slow: %d signals were dropped.", self._dropped)
            self._dropped = 0


def tell_now(signal: Signal, told: Fields) -> None:
    """The same of what no event loop's socket did. Returns when receivers are done, or in an event
    loop at once.
    """
    _log(signal, told)
    if is_in_loop():
        spawn(signal.asend_robust(None, **told))
    else:
        signal.send_robust(None, **told)


def _log(signal: Signal, told: Fields) -> None:
    """One line, whatever a client has put into it; and each value as an attribute of the record."""
    event = _EVENTS[signal]
    values = " ".join(f"{key}={json.dumps(value)}" for key, value in told.items())
    logger.info("%s %s", event, values, extra={"event": event, **told})
