"""Measure the cost of limits, audit records, metrics and correlation, alone and all together.

CPU time of the server's process for one handshake with a message, its answer and a close: other
load on the machine changes it little. 64 clients at once, on SQLite; each handshake presents
another token of 5,000, and the cache of verified tokens is off. Calls are counted in the event
loop's thread, by a profiler and in separate servers.
"""

from collections.abc import Iterator

from .bench import Bench
from .contestants import Contestant
from .cost import churn, costs
from .databases import Database, database
from .run import Panel
from .saturation import AT_ONCE
from .server import serving

__all__ = ["run"]

NAMES = (
    *("ours-all-off", "ours-correlation", "ours-metrics", "ours-audit", "ours-limits"),
    *("ours-addresses", "ours-waiting", "ours-connections", "ours-frames", "ours-idle"),
    *("ours-all-on", "ours-all-correlated"),
)
CYCLES = 1500
MOST, FEWEST = 60, 0.1
"""The maximal number of functions in the table of added calls, and the minimal number of calls."""


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server, and count the calls of functions on the first."""
    cycles = 200 if bench.quick else CYCLES
    contestants = bench.contestants(*NAMES)
    with database("sqlite") as filled:
        kind = bench.servers[0]
        calls = {}
        for each in contestants:
            bench.say(f"calls, {kind}: {each.name}")
            calls[each.name] = _calls(kind, each, filled, cycles)
        for server in bench.servers:
            yield _cost(bench, server, filled, cycles)
    yield _totals(kind, calls)
    if "ours-all-off" in calls and "ours-all-on" in calls:
        yield _added(kind, calls["ours-all-on"], calls["ours-all-off"])


def _cost(bench: Bench, kind: str, filled: Database, cycles: int) -> Panel:
    contestants = bench.contestants(*NAMES)
    found = costs(bench, kind, contestants, filled, cycles)
    return Panel(
        title=f"CPU time of a handshake, {kind}",
        unit="µs",
        rounds=[{name: each["all"] for name, each in results.items()} for results in found],
        bases=bench.bases(contestants, "ours-all-off"),
        note="The inverse of a ratio is what remains of the handshakes in a second.",
    )


def _calls(kind: str, contestant: Contestant, filled: Database, cycles: int) -> dict[str, float]:
    """Return how often each function is called in a handshake."""
    with serving(kind, contestant, filled) as server:
        churn(server, contestant, AT_ONCE)
        server.ask("profile", "start")
        churn(server, contestant, cycles)
        found = server.ask("profile")["calls"]
    return {name: count / cycles for name, count in found.items()}


def _totals(kind: str, calls: dict[str, dict[str, float]]) -> Panel:
    return Panel(
        title=f"Calls of functions, {kind}",
        unit="calls a handshake",
        rounds=[{name: sum(counts.values()) for name, counts in calls.items()}],
    )


def _added(kind: str, on: dict[str, float], off: dict[str, float]) -> Panel:
    """Return the functions that are called more often with everything on."""
    more = {name: count - off.get(name, 0.0) for name, count in on.items()}
    most = sorted(more, key=lambda name: -more[name])[:MOST]
    return Panel(
        title=f"Functions that are called more often with everything on, {kind}",
        unit="calls a handshake",
        rounds=[{name: more[name] for name in most if more[name] > FEWEST}],
    )
