"""Name the lanes: everything that may wait for the same service shares one."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

__all__ = ["ROWS", "LaneId", "cache_lane", "sweep_lane"]

MAX_WAIT = 1.0
"""Seconds in the queue of a remote service, after which a verification is refused. Without this
bound, a flood fills the queue with verifications that end just after their deadline: nobody gets
in, and the lane stays busy until the last of them has been given up. And each of them is a socket
that waits, of which a node admits a number only (`LIMITS`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneId:
    """One lane. `name` is for people: logs and metrics. `of` tells lanes of one name apart.

    `is_remote`: its work waits for a server of others, as that of a backend that does not declare
    `is_local` may.
    """

    name: str
    of: Hashable = None
    is_remote: bool = False
    is_sweep: bool = False

    @property
    def max_wait(self) -> float | None:
        """Seconds that work may wait in the queue; None: as long as its caller waits."""
        return MAX_WAIT if self.is_remote and not self.is_sweep else None


ROWS = LaneId(name="rows")
"""The lane of all local backends: they query the site's own databases."""


def cache_lane(alias: str) -> LaneId:
    """Return the lane of tickets and of the denylist, which read this cache."""
    return LaneId(name="cache", of=alias)


def sweep_lane(lane: LaneId) -> LaneId:
    """Return the lane in which sweeps ask the same service: behind no queue of handshakes."""
    name = "sweep" if lane == ROWS else f"sweep {lane.name}"
    return replace(lane, name=name, is_sweep=True)
