"""Refuse messages that are old, or that a receiver has received already.

A signature shows who sent a message, but not when. Without these checks, who can write to the
channel layer could repeat a message of this site at any later time: to drain a node, for example.
"""

import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from ..core.site_keys import SIGNATURE
from ..observability.events import IgnoredBecause
from .local_nodes import process_began_at

__all__ = ["MAX_SEEN", "ROLLOUT", "SENT_AT", "WINDOW", "Freshness", "stamp"]

SENT_AT = "sent_at"
"""The key of a message with the time at which it was sent, in seconds since the epoch."""

WINDOW = 300.0
"""Seconds by which the time of a message may differ from this machine's: its age, and the
difference of the two clocks. Layers forget messages sooner: channels-redis after a minute."""

ROLLOUT = 3600.0
"""Seconds from the start of a process in which it reads messages without a time. Nodes of the
previous release send them, during a rolling deploy."""

MAX_SEEN = 10_000
"""Messages of each kind that a receiver remembers at most. Only nodes of this site can send so
many."""


def stamp() -> dict[str, Any]:
    """Return the part of a message that makes it unlike all others."""
    return {SENT_AT: time.time()}


class Freshness:
    """The messages that one receiver has received within the window.

    One for each receiver, because several nodes of a process receive the same message.
    """

    def __init__(self) -> None:
        # By kind, so that frequent messages, which count sockets, do not displace the others.
        self._seen: defaultdict[str, _Seen] = defaultdict(_Seen)

    def problem(self, message: Mapping[str, Any]) -> IgnoredBecause | None:
        """Return why a signed message must be ignored, "late" or "repeated"; None to act on it."""
        sent_at = message.get(SENT_AT)
        if sent_at is None:
            # Accepted for a while only: otherwise, one that was recorded could be sent for ever.
            is_rollout = time.monotonic() - process_began_at() < ROLLOUT
            return None if is_rollout else "late"
        if not _is_near(sent_at):
            return "late"
        # The signature covers all of the message, so that equal signatures are equal messages.
        name = bytes.fromhex(message[SIGNATURE])[:16]
        return None if self._seen[str(message.get("kind"))].add(name) else "repeated"


class _Seen:
    """The messages of one kind, in the order of their arrival."""

    def __init__(self) -> None:
        self._order: deque[tuple[float, bytes]] = deque()
        self._names: set[bytes] = set()

    def add(self, name: bytes) -> bool:
        """Store a message. Return False if it is stored already."""
        if name in self._names:
            return False
        now = time.monotonic()
        # Twice the window: a message of a clock that is ahead stays acceptable for so long.
        while self._order and (
            self._order[0][0] < now - 2 * WINDOW or len(self._order) >= MAX_SEEN
        ):
            self._names.discard(self._order.popleft()[1])
        self._names.add(name)
        self._order.append((now, name))
        return True


def _is_near(sent_at: Any) -> bool:
    try:
        return abs(time.time() - float(sent_at)) <= WINDOW
    except (OverflowError, TypeError, ValueError):
        return False  # of a version that writes times in another way
