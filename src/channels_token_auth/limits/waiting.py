"""The sockets of one node that are not authenticated yet, counted by address."""

from collections.abc import Callable

from ..core.counting.client_address import ClientAddress
from ..core.errors import TokenAuthError
from ..core.limits import Limit, WaitingLimits
from .exceeded import exceeded

__all__ = ["Place", "WaitingSockets"]

RETRY_AFTER = 5
"""Seconds after which a client may try again: most of those that wait now are done by then."""

Close = Callable[[TokenAuthError], None]


class Place:
    """The place of one socket among those that wait. It can be left more than once."""

    __slots__ = ("_waiting", "close", "group")

    def __init__(self, waiting: "WaitingSockets", group: str, close: Close) -> None:
        self._waiting: WaitingSockets | None = waiting
        self.group = group
        self.close = close

    def leave(self) -> None:
        """Free the place: the socket was admitted, or has ended."""
        waiting, self._waiting = self._waiting, None
        if waiting:
            waiting.free(self)


class WaitingSockets:
    """Counts the sockets of one node, which alone calls it.

    When the node is full, addresses share what there is: a newcomer takes the place of the socket
    that waits longest of the address with the most, if that address has more than the newcomer's
    would have then. So few addresses with many silent sockets lock nobody out.
    """

    def __init__(self) -> None:
        self._total = 0
        # Of each address in the order in which they came: a dictionary is an ordered set.
        self._by_group: dict[str, dict[Place, None]] = {}

    def __len__(self) -> int:
        return self._total

    def enter(
        self,
        address: ClientAddress | None,
        limits: WaitingLimits,
        *,
        trusted_proxies: int,
        close: Close,
    ) -> Place:
        """Take a place. Raises TokenAuthError if the address or the node has too many.

        `close`: called if the socket has to leave its place to another address.
        """
        group = _group(address, limits, trusted_proxies)
        count = len(self._by_group.get(group, ()))
        if group and limits.address is not None and count >= limits.address:
            raise exceeded(Limit.WAITING_ADDRESS, RETRY_AFTER)
        if limits.node is not None and self._total >= limits.node:
            self._make_room(count + 1)
        place = Place(self, group, close)
        self._by_group.setdefault(group, {})[place] = None
        self._total += 1
        return place

    def free(self, place: Place) -> None:
        """Count one less."""
        places = self._by_group[place.group]
        del places[place]
        self._total -= 1
        if not places:  # else an address would be remembered for ever
            del self._by_group[place.group]

    def _make_room(self, count: int) -> None:
        """Close a socket of the address with the most, if it has more than `count`."""
        # Looks at each address once, of at most as many as there are places.
        most = max(self._by_group.values(), key=len, default={})
        error = exceeded(Limit.WAITING_NODE, RETRY_AFTER)
        if len(most) <= count:
            raise error
        longest = next(iter(most))
        longest.leave()
        longest.close(error)


def _group(address: ClientAddress | None, limits: WaitingLimits, trusted_proxies: int) -> str:
    """Return what an address is counted by; empty for all that no limit per address applies to."""
    is_spared = limits.is_default_address and not trusted_proxies
    return "" if address is None or (address.is_internal and is_spared) else address.group
