"""Count the sockets of one node that are not authenticated yet, by address."""

from collections.abc import Callable

from ..core.counting.client_address import ClientAddress
from ..core.errors import TokenAuthError
from ..core.limits import Limit, WaitingLimits
from .exceeded import exceeded

__all__ = ["Place", "WaitingSockets"]

RETRY_AFTER = 5
"""Seconds after which a client may retry: by then, most of the waiting sockets are admitted."""

Close = Callable[[TokenAuthError], None]


class Place:
    """The place of one socket among those that wait. Leaving it twice does no harm."""

    __slots__ = ("_waiting", "close", "group")

    def __init__(self, waiting: "WaitingSockets", group: str, close: Close) -> None:
        self._waiting: WaitingSockets | None = waiting
        self.group = group
        self.close = close

    def leave(self) -> None:
        """Free the place: the socket was admitted, or has ended."""
        # The second call, by a socket whose place another one has taken, frees nothing.
        waiting, self._waiting = self._waiting, None
        if waiting is not None:  # its truth would be a call of `__len__`
            waiting.free(self)


class WaitingSockets:
    """Counts the sockets of one node. Only the event loop of the node calls it.

    When the node is full, addresses share the places: a new socket takes the place of the one that
    has waited longest at the address with the most sockets, if that address has more than the new
    socket's own would have. So a few addresses with many silent sockets cannot block the others.
    """

    def __init__(self) -> None:
        self._total = 0
        # Dictionaries as ordered sets: the first socket of an address has waited longest.
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

        `close`: called if another address takes the place.
        """
        group = _group(address, limits, trusted_proxies)
        # Clients without an address share the empty group: only the limit per node applies.
        count = len(self._by_group.get(group, ()))
        # Before the node's limit: an address over its own takes no place from another one.
        if group and limits.address is not None and count >= limits.address:
            raise exceeded(Limit.WAITING_ADDRESS, RETRY_AFTER, limits.address)
        if limits.node is not None and self._total >= limits.node:
            self._make_room(count + 1, limits.node)
        place = Place(self, group, close)
        self._by_group.setdefault(group, {})[place] = None
        self._total += 1
        return place

    def free(self, place: Place) -> None:
        """Remove the place. `Place.leave` calls it once."""
        places = self._by_group[place.group]
        del places[place]
        self._total -= 1
        if not places:  # or the dictionary would grow with every address that ever connected
            del self._by_group[place.group]

    def _make_room(self, count: int, limit: int) -> None:
        """Close a socket of the address with the most, if it has more than `count`."""
        # Cheap enough for each handshake: there are at most as many addresses as places.
        most = max(self._by_group.values(), key=len, default={})
        error = exceeded(Limit.WAITING_NODE, RETRY_AFTER, limit)
        if len(most) <= count:
            raise error
        longest = next(iter(most))
        # Before the close: the place is free at once, however long the close takes.
        longest.leave()
        longest.close(error)


def _group(address: ClientAddress | None, limits: WaitingLimits, trusted_proxies: int) -> str:
    """Return the group that an address is counted in; empty if no limit per address applies."""
    is_spared = limits.is_default_address and not trusted_proxies
    return "" if address is None or (address.is_internal and is_spared) else address.group
