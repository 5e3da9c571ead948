"""Fail a test that takes more than five seconds and is not marked `slow`.

The processor time of this process shows it wherever a test runs. With the programs that ended in
the test it may be twice as much: one of them may be of an earlier test. A test that waits is given
more time by the clock, since others run beside it. Time for which it was ready to run, but other
processes had the cores, does not count.
Property tests take as long as their number of examples: they are in the step of slow tests anyway.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cores import cores
from tests.plugins import processor

__all__ = ["LIMIT", "LIMIT_BY_THE_CLOCK"]

LIMIT = 5.0  # seconds of one test, without its fixtures, on a machine that does nothing else
# In a gate that runs nine steps on two cores: the load average follows too late, and a test also
# waits for programs of its own that have no core, or stand still.
LIMIT_BY_THE_CLOCK = 90.0
SCHEDSTAT = Path("/proc/self/schedstat")  # of the main thread, which runs the tests
# It stays open, since each test reads it twice.
_schedstat = os.open(SCHEDSTAT, os.O_RDONLY) if SCHEDSTAT.exists() else None
_before = pytest.StashKey[tuple[float, float, float]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    item.stash[_before] = _times()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    # Most tests are quick: they need neither the load nor their markers.
    is_quick = call.duration <= LIMIT
    if report.when == "call" and report.passed and not is_quick and not _may_be_slow(item):
        pairs = zip(_times(), item.stash[_before], strict=True)
        waited, computed, with_programs = (now - before for now, before in pairs)
        limits = {
            "of processor time": (computed, LIMIT),
            "of it with its programs": (with_programs, 2 * LIMIT),
            "by the clock": (call.duration - waited, max(LIMIT_BY_THE_CLOCK, LIMIT * load())),
        }
        over = [
            f"{seconds:.1f} s {what}, more than {limit:.1f} s"
            for what, (seconds, limit) in limits.items()
            if seconds > limit
        ]
        if over:
            report.outcome = "failed"
            report.longrepr = (
                f"{item.nodeid} took {', and '.join(over)}: make it faster, or mark it `slow` and"
                " say why it needs the time."
            )
    return report


def _times() -> tuple[float, float, float]:
    """Return the seconds without a core, of this process, and of this one with its programs."""
    return seconds_without_a_core(), time.process_time(), processor.seconds()


def _may_be_slow(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("slow", "hypothesis"))


def load() -> float:
    """Return how many processes wait for each core: a test takes so many times as long."""
    return os.getloadavg()[0] / cores()


def seconds_without_a_core() -> float:
    """Return how long this process was ready to run and had to wait; 0 where Linux tells nothing.

    The second number of the file counts it, in nanoseconds.
    """
    return int(os.pread(_schedstat, 100, 0).split()[1]) / 1e9 if _schedstat else 0.0
