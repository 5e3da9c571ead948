"""Measure the resources of a fleet, of which no fault may leave more in use."""

import time
from collections.abc import Mapping

from redis import Redis as RedisClient

from tests.cluster.fleet import BOUND, Fleet

__all__ = ["growth", "settled"]

SPARE_CLIENTS = 6
"""Connections to Redis that the pools of redis-py may come to keep: two in a process."""

SPARE_TIMERS = 2
"""Each of the two routes with a limit keeps the timer of a verification that is over, for
VERIFY_TIMEOUT: at most one."""


def holdings(fleet: Fleet) -> dict[str, int]:
    """In each process, and in Redis."""
    held: dict[str, int] = {"in the layer of the site": fleet.site.probe()["layer"]}
    for kind, node in fleet.nodes.items():
        state = node.probe()
        held[f"tasks of {kind}"] = len(state["tasks"])
        for name in ("timers", "connections", "layer"):
            held[f"{name} of {kind}"] = state[name]
    with RedisClient(port=fleet.redis.port) as client:
        held["keys"] = len(client.keys())
        held["subscriptions"] = len(client.pubsub_channels())
        held["clients"] = len(client.client_list())
    return held


def settled(fleet: Fleet) -> dict[str, int]:
    """The most it holds in two sweeps in which nobody is connected."""
    seen = [holdings(fleet) for _ in range(20) if not time.sleep(0.1)]
    return {name: max(held[name] for held in seen) for name in seen[0]}


def growth(fleet: Fleet, since: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return the resources that have grown and do not shrink: the numbers before and now."""
    deadline = time.monotonic() + BOUND
    while (grown := _growth(fleet, since)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return grown


def _growth(fleet: Fleet, since: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    spare = {"clients": SPARE_CLIENTS} | {f"timers of {kind}": SPARE_TIMERS for kind in fleet.nodes}
    held = holdings(fleet)
    return {
        name: (since[name], count)
        for name, count in held.items()
        if count > since[name] + spare.get(name, 0)
    }
