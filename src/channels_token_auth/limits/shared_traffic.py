"""Count a user's frames over all processes, in the store of the site's shared counters.

No frame waits for the store: each process counts by itself, adds its counts to the store every
50 ms, and refuses the user's frames for the rest of the period once the store has too many.
"""

from dataclasses import dataclass

from ..clock import clock
from ..core.counting.traffic import Report, Traffic
from ..core.identity import UserKey
from ..core.limits import Limit, Limits, Rate
from .shared_counters import SharedCounters, shared_counters

__all__ = ["SharedTraffic", "share_traffic"]


class SharedTraffic:
    """Adds the frames of one user to the shared counters; without a user, those of one address."""

    def __init__(
        self, traffic: Traffic, who: UserKey | str, limits: Limits, counters: SharedCounters
    ) -> None:
        # No kind is "address": it is a model's label, or begins with "issuer:" or "backend:". So an
        # address cannot have the key of a user.
        user = f"{who.kind} {who.key}" if isinstance(who, UserKey) else f"address {who}"
        # With both rates, as in `TrafficTable`: routes with different ones count separately.
        self._key = f"{limits.messages}, {limits.bytes}, {user}"
        self._counters = counters
        rates = {Limit.MESSAGES: limits.messages, Limit.BYTES: limits.bytes}
        self._counts = {
            limit: _Count(limit, rate, traffic) for limit, rate in rates.items() if rate
        }

    def add(self, limit: Limit, amount: int) -> None:
        """Queue so many messages or bytes to be added. Returns at once."""
        self._counters.add(self._counts[limit], self._key, amount)


@dataclass(slots=True, eq=False)
class _Count:
    """One rate of one user, as the shared counters need it: a `Counter`."""

    limit: Limit
    rate: Rate
    traffic: Traffic

    def block(self, key: str, seconds: float) -> None:
        """Refuse the user's frames for so long."""
        # At most one period: the clock of the store may differ from this one.
        seconds = min(seconds, self.rate.seconds)
        self.traffic.block(self.limit, clock.steady() + seconds)


def share_traffic(traffic: Traffic, who: UserKey | str, limits: Limits) -> Report | None:
    """Return the function that shares the counts of `traffic`; None if the site has no STORAGE."""
    if limits.storage is None:
        return None
    return SharedTraffic(traffic, who, limits, shared_counters(limits.storage)).add
