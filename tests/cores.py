"""How many processor cores this process may use: a container often has fewer than its machine."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cores"]

CONTROL_GROUP = Path("/sys/fs/cgroup")


def cores(group: Path = CONTROL_GROUP) -> int:
    """Return the number of cores, at least 1: of its CPU set, and within the group's quota."""
    return max(1, math.floor(min([len(os.sched_getaffinity(0)), *_quotas(group)])))


def _quotas(group: Path) -> Iterator[float]:
    """Yield the quota of the control group in cores, for each version of control groups it has."""
    files = [group / "cpu.max"], [group / "cpu" / f"cpu.cfs_{each}_us" for each in _VERSION_1]
    for paths in files:
        if all(path.exists() for path in paths):
            quota, period, *_ = " ".join(path.read_text() for path in paths).split()
            if quota not in _UNLIMITED:
                yield int(quota) / int(period)


_VERSION_1 = ("quota", "period")
_UNLIMITED = ("max", "-1")
