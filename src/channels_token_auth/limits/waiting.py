"""The sockets of one node that are not authenticated yet, counted by address."""

from collections import Counter

from ..core.client_address import ClientAddress
from ..core.limits import Limit, WaitingLimits
from .exceeded import exceeded

__all__ = ["Place", "WaitingSockets"]

RETRY_AFTER = 5
"""Seconds after which a client may try again: most of those that wait now are done by then."""


class Place:
    """The place of one socket among those that wait. It can be left more than once."""

    __slots__ = ("_group", "_waiting")

    def __init__(self, waiting: "WaitingSockets", group: str | None) -> None:
        self._waiting: WaitingSockets | None = waiting
        self._group = group

    def leave(self) -> None:
        """Free the place: the socket was admitted, or has ended."""
        waiting, self._waiting = self._waiting, None
        if waiting:
            waiting.free(self._group)


class WaitingSockets:
    """Counts the sockets of one node, which alone calls it."""

    def __init__(self) -> None:
        self._total = 0
        self._by_group: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._total

    def enter(
        self, address: ClientAddress | None, limits: WaitingLimits, *, trusted_proxies: int
    ) -> Place:
        """Take a place. Raises TokenAuthError if the address or the node has too many."""
        group = _group(address, limits, trusted_proxies)
        if group is not None and _is_full(self._by_group[group], limits.address):
            raise exceeded(Limit.WAITING_ADDRESS, RETRY_AFTER)
        if _is_full(self._total, limits.node):
            raise exceeded(Limit.WAITING_NODE, RETRY_AFTER)
        self._total += 1
        if group is not None:
            self._by_group[group] += 1
        return Place(self, group)

    def free(self, group: str | None) -> None:
        """Count one less."""
        self._total -= 1
        if group is not None:
            self._by_group[group] -= 1
            if not self._by_group[group]:  # else an address would be remembered for ever
                del self._by_group[group]


def _is_full(count: int, limit: int | None) -> bool:
    return limit is not None and count >= limit


def _group(
    address: ClientAddress | None, limits: WaitingLimits, trusted_proxies: int
) -> str | None:
    """Return what an address is counted by; None: not at all."""
    is_spared = limits.is_default_address and not trusted_proxies
    return None if address is None or (address.is_internal and is_spared) else address.group
