"""Measure the time that counting a frame towards its user's rates takes, in nanoseconds.

Without a server: to count is pure, and its time would disappear in that of receiving a frame.
"""

import time
from collections.abc import Callable, Iterator
from timeit import timeit
from typing import Any

from channels_token_auth.clock import clock
from channels_token_auth.core.counting.traffic import Traffic, TrafficTable
from channels_token_auth.core.limits import Limits, Rate

from .bench import Bench
from .run import Panel, in_rounds

__all__ = ["run"]

PLENTY = Rate(10**9, 1)  # never reached
LIMITS = {
    "messages": Limits(messages=PLENTY),
    "bytes": Limits(bytes=PLENTY),
    "messages and bytes": Limits(messages=PLENTY, bytes=PLENTY),
}
FRAMES = {
    "ASCII": {"type": "websocket.receive", "text": "x" * 100},
    "umlauts": {"type": "websocket.receive", "text": "ü" * 100},
}


def run(bench: Bench) -> Iterator[Panel]:
    """Take frames of 100 characters, the clock that is read for each included."""
    times = 10_000 if bench.quick else 1_000_000
    measures = {
        f"{limited}, {kind}": _measure(limits, frame, times)
        for limited, limits in LIMITS.items()
        for kind, frame in FRAMES.items()
    }
    yield Panel(
        title="Counting one frame",
        unit="ns",
        rounds=in_rounds(measures, bench.rounds, bench.say),
        note="Without a limit nothing is counted. The aim is less than 1,000.",
    )


def _measure(limits: Limits, frame: dict[str, Any], times: int) -> Callable[[], float]:
    traffic = TrafficTable().join("192.0.2.1", limits, clock.steady())
    assert traffic  # noqa: S101 - something is limited

    def measure() -> float:
        # Of this process alone: what others do on the machine is not what a frame costs.
        spent = timeit(
            lambda: traffic.take(frame, clock.steady()), number=times, timer=time.process_time
        )
        _require_room(traffic, frame)
        return spent / times * 1e9

    return measure


def _require_room(traffic: Traffic, frame: dict[str, Any]) -> None:
    if traffic.take(frame, clock.steady()) is not None:
        raise RuntimeError("A rate that must not be reached was reached.")
