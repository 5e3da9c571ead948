"""The frames of one user, or of one address without a user, over all sockets of a node."""

from collections.abc import Hashable, Mapping
from typing import Any

from ..identity import UserKey
from ..limits import Limit, Limits, Rate
from .bucket import MICROSECONDS, Bucket

__all__ = ["Traffic", "TrafficTable", "size_of"]

SLACK = 64
"""Users without a socket that are kept at least, before those who owe nothing are looked for."""


def size_of(frame: Mapping[str, Any]) -> int:
    """Return the bytes of a frame as the client sent it: text is UTF-8 (RFC 6455 §5.6)."""
    text = frame.get("text")
    if text is None:
        return len(frame.get("bytes") or b"")
    # CPython knows of each string if it is ASCII: nearly all are, and none of those is copied.
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


class Traffic:
    """The recent frames of one user's sockets. `key`: the table's; `sockets`: how many are open."""

    __slots__ = ("_bytes", "_messages", "key", "sockets")

    def __init__(self, key: Hashable, messages: Rate | None, in_bytes: Rate | None) -> None:
        self.key = key
        self.sockets = 0
        self._messages = Bucket(messages) if messages else None
        self._bytes = Bucket(in_bytes) if in_bytes else None

    def take(self, frame: Mapping[str, Any], now: float) -> tuple[Limit, int] | None:
        """Count a frame; or return its limit, and the seconds until the whole rate is free again.

        `now`: in seconds. Called for every frame: it allocates nothing but numbers.
        """
        moment = int(now * MICROSECONDS)
        if self._messages and not self._messages.take(1, moment):
            return Limit.MESSAGES, max(1, self._messages.full_in(moment))
        if self._bytes and not self._bytes.take(size_of(frame), moment):
            return Limit.BYTES, max(1, self._bytes.full_in(moment))
        return None

    def owes(self, now: float) -> bool:
        """Return whether a new bucket would let more pass than this one."""
        moment = int(now * MICROSECONDS)
        return any(it.full_in(moment) for it in (self._messages, self._bytes) if it)


class TrafficTable:
    """The traffic of all users of a node.

    It outlives their sockets until it is paid off: who reconnects must not start anew.
    """

    def __init__(self) -> None:
        self._all: dict[Hashable, Traffic] = {}
        self._prune_at = SLACK

    def __len__(self) -> int:
        return len(self._all)

    def join(self, who: UserKey | str | None, limits: Limits, now: float) -> Traffic | None:
        """Return the traffic that a new socket of theirs adds to; None if nothing is limited.

        `who`: a user, or an address. Routes with other rates count by themselves.
        """
        messages, in_bytes = limits.messages, limits.bytes
        if messages is None and in_bytes is None:
            return None
        key = (who, messages, in_bytes)
        traffic = self._all.get(key)
        if traffic is None:
            self._prune(now)
            traffic = self._all[key] = Traffic(key, messages, in_bytes)
        traffic.sockets += 1
        return traffic

    def leave(self, traffic: Traffic, now: float) -> None:
        """Note that one of its sockets has closed."""
        traffic.sockets -= 1
        if not traffic.sockets and not traffic.owes(now):
            del self._all[traffic.key]

    def _prune(self, now: float) -> None:
        """Forget those without a socket that owe nothing, whenever their number has doubled."""
        if len(self._all) < self._prune_at:
            return
        left = {key: it for key, it in self._all.items() if it.sockets or it.owes(now)}
        self._all = left
        self._prune_at = 2 * len(left) + SLACK
