"""Identify lanes: all work that may wait for the same service shares one."""

from collections.abc import Hashable
from typing import NamedTuple

__all__ = ["ROWS", "LaneId", "cache_lane", "sweep_lane"]

MAX_WAIT = 1.0
"""Seconds in the queue of a remote service after which a verification is refused. Without this
bound, a flood fills the queue with verifications that end just after their deadline. Then no client
is admitted, and the lane stays busy until the last of them was given up. Each of them also occupies
a place among the waiting sockets, whose number is limited (`LIMITS`)."""


class LaneId(NamedTuple):
    """One lane. A tuple, since each verification looks a lane up: Python hashes it in C.

    `name` is for logs and metrics. `of` distinguishes lanes with the same name.

    `is_remote`: its work may wait for another server, because its backend does not declare
    `is_local`.
    """

    name: str
    of: Hashable = None
    is_remote: bool = False
    is_sweep: bool = False

    @property
    def max_wait(self) -> float | None:
        """Seconds that work may wait in the queue; None: until its caller stops waiting."""
        return MAX_WAIT if self.is_remote and not self.is_sweep else None


ROWS = LaneId(name="rows")
"""The lane of all local backends, which query the site's own databases."""


def cache_lane(alias: str) -> LaneId:
    """Return the lane of tickets and of the denylist, which read this cache."""
    return LaneId(name="cache", of=alias)


def sweep_lane(lane: LaneId) -> LaneId:
    """Return the lane in which sweeps call this service, apart from the queue of handshakes."""
    name = "sweep" if lane == ROWS else f"sweep {lane.name}"
    return LaneId(name=name, of=lane.of, is_remote=lane.is_remote, is_sweep=True)
