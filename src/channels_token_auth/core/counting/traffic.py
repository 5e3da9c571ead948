"""Count the frames of one user, or of one address without a user, over all sockets of a node."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from ..identity import UserKey
from ..limits import Limit, Limits
from .bucket import MICROSECONDS, Prices, prices_of

__all__ = ["Report", "Traffic", "TrafficTable", "size_of"]

SLACK = 64
"""Entries without a socket that are kept before the table looks for entries to remove."""

SHARE_EVERY = MICROSECONDS // 20
"""The pause between two reports of one user's frames to the other processes."""


Report = Callable[[Limit, int], None]
"""Reports messages or bytes of one user to the other processes, whose counts may block the user
here. Returns at once."""


def size_of(frame: Mapping[str, Any]) -> int:
    """Return the bytes of a frame as the client sent it: text is UTF-8 (RFC 6455 §5.6)."""
    text = frame.get("text")
    if text is None:
        return len(frame.get("bytes") or b"")
    # A lone surrogate has a length too, although no server passes one on (RFC 6455 §8.1).
    return len(text.encode("utf-8", "surrogatepass"))


class Traffic:
    """The recent frames of one user. `key`: its key in the table; `sockets`: open ones.

    It has two buckets, of messages and of bytes: see `bucket`, which also explains the prices. At
    most twice the count of a rate passes in any period of `Rate.seconds`.

    `report`: set if several processes count together. Each process counts by itself as well.
    """

    __slots__ = (
        "_all_bytes",
        "_all_messages",
        "_blocked_by",
        "_blocked_until",
        "_byte",
        "_bytes_until",
        "_message",
        "_messages_until",
        "_scale",
        "_share_at",
        "_unshared",
        "key",
        "report",
        "sockets",
    )

    def __init__(self, key: Hashable, prices: Prices) -> None:
        self.key = key
        self.sockets = 0
        self._scale, self._message, self._all_messages, self._byte, self._all_bytes = prices
        self._messages_until = self._bytes_until = 0
        self._blocked_by, self._blocked_until = Limit.MESSAGES, 0
        self.report: Report | None = None
        self._share_at = 0
        self._unshared: dict[Limit, int] | None = None

    def take(self, frame: Mapping[str, Any], now: float) -> tuple[Limit, int] | None:
        """Count a frame; or return the limit it exceeds, and the seconds until all of it is free.

        `now`: in seconds. Called for every frame, so it allocates nothing but numbers, and calls no
        function of Python's own code. A refused frame changes nothing: a client that keeps sending
        does not lengthen its wait.
        """
        moment = int(now * 1e6)  # floats are multiplied faster than a float and an integer
        if moment < self._blocked_until:
            # Floor division of a negative number rounds the wait up to whole seconds.
            return self._blocked_by, -((moment - self._blocked_until) // MICROSECONDS)
        present = moment * self._scale
        messages, in_bytes = self._messages_until, self._bytes_until
        if price := self._message:
            messages = price + (messages if messages > present else present)  # noqa: FURB136 - faster
            if messages - present > self._all_messages:
                return Limit.MESSAGES, self._free_in(self._messages_until - present)
        if price := self._byte:
            text = frame.get("text")
            if text is None:
                size = len(frame.get("bytes") or b"")
            elif text.isascii():  # as nearly all are: CPython stores it, so nothing is encoded
                size = len(text)
            else:
                try:
                    size = len(text.encode())
                except UnicodeEncodeError:
                    size = size_of(frame)
            in_bytes = size * price + (in_bytes if in_bytes > present else present)  # noqa: FURB136
            if in_bytes - present > self._all_bytes:
                return Limit.BYTES, self._free_in(self._bytes_until - present)
        self._messages_until, self._bytes_until = messages, in_bytes
        if self.report is not None:
            self._count_for_others(frame, moment)
        return None

    def block(self, limit: Limit, until: float) -> None:
        """Refuse all frames until `until`, by the common count. Any thread may call this."""
        self._blocked_by, self._blocked_until = limit, int(until * MICROSECONDS)

    def share(self) -> None:
        """Report the frames that were not reported yet, if several processes count together."""
        if self.report is None or self._unshared is None:
            return
        for limit, amount in self._unshared.items():
            if amount:
                self._unshared[limit] = 0
                self.report(limit, amount)

    def _count_for_others(self, frame: Mapping[str, Any], moment: int) -> None:
        if self._unshared is None:
            self._unshared = {Limit.MESSAGES: 0, Limit.BYTES: 0}
        if self._message:
            self._unshared[Limit.MESSAGES] += 1
        if self._byte:
            self._unshared[Limit.BYTES] += size_of(frame)
        if moment >= self._share_at:
            self._share_at = moment + SHARE_EVERY
            self.share()

    def owes(self, now: float) -> bool:
        """Return whether a new entry would let more pass than this one."""
        moment = int(now * MICROSECONDS)
        present = moment * self._scale
        return (
            self._messages_until > present
            or self._bytes_until > present
            or moment < self._blocked_until
        )

    def _free_in(self, owed: int) -> int:
        """Return the seconds, rounded up, until nothing is owed any more; at least one."""
        return max(1, -(-owed // (self._scale * MICROSECONDS)))


class TrafficTable:
    """The traffic of all users of a node.

    An entry outlives the user's sockets until its rate is free again: otherwise a user could reset
    the count by reconnecting. `sharing`: returns the `Report` of a new entry; None: not shared.
    """

    def __init__(
        self, sharing: Callable[[Traffic, UserKey | str, Limits], Report | None] | None = None
    ) -> None:
        self._sharing = sharing
        self._all: dict[Hashable, Traffic] = {}
        # A site has few rates, so this stays small.
        self._prices: dict[tuple[int, ...], Prices] = {}
        self._prune_at = SLACK

    def __len__(self) -> int:
        return len(self._all)

    def join(self, who: UserKey | str | None, limits: Limits, now: float) -> Traffic | None:
        """Return the entry that a new socket is counted in; None if nothing is limited.

        `who`: a user, or an address. Clients without either, as on a Unix socket, are not limited:
        no fact distinguishes them. Routes with different rates count separately.
        """
        rates = limits.of_frames
        if who is None or rates is None:
            return None
        # Plain text and numbers, which are hashed without a call of Python's own code. An address
        # has no kind, as no user has.
        key = (who.kind, who.key, rates) if type(who) is UserKey else (None, who, rates)
        traffic = self._all.get(key)
        if traffic is None:
            if len(self._all) >= self._prune_at:
                self._prune(now)
            prices = self._prices.get(rates)
            if prices is None:
                prices = self._prices[rates] = prices_of(limits.messages, limits.bytes)
            traffic = self._all[key] = Traffic(key, prices)
            traffic.report = self._sharing(traffic, who, limits) if self._sharing else None
        traffic.sockets += 1
        return traffic

    def leave(self, traffic: Traffic, now: float) -> None:
        """Count one socket less, and remove the entry if it is no longer needed."""
        traffic.sockets -= 1
        if traffic.report is not None:
            traffic.share()
        if not traffic.sockets and not traffic.owes(now):
            del self._all[traffic.key]

    def _prune(self, now: float) -> None:
        """Remove entries without a socket or a debt: whenever the number of entries has doubled."""
        left = {key: it for key, it in self._all.items() if it.sockets or it.owes(now)}
        self._all = left
        self._prune_at = 2 * len(left) + SLACK
