"""Measure the cost of limits, audit records, metrics and correlation, alone and all together.

CPU time of the server's process for one handshake with a message, its answer and a close: other
load on the machine changes it little. 64 clients at once, on SQLite; each handshake presents
another token of 5,000, and the cache of verified tokens is off. Calls are counted in the event
loop's thread, by a profiler and in separate servers. The profiler makes short functions look longer
than they are.

`ours-log-lines` has everything off, and writes two lines to the same file with `logging.info`, of
the length of the two audit records. So does `ours-log-lines-later`, at the moment at which audit
records are written: after the turn of the event loop, for many sockets in a row. What they take, an
audit cannot save as long as it writes log records.
"""

from collections.abc import Iterator

from .bench import Bench
from .contestants import Contestant
from .cost import MICROSECONDS, churn, costs
from .databases import Database, database
from .run import Panel
from .saturation import AT_ONCE
from .server import serving

__all__ = ["run"]

NAMES = (
    *("ours-all-off", "ours-correlation", "ours-metrics"),
    *("ours-log-lines", "ours-log-lines-later", "ours-audit", "ours-limits"),
    *("ours-addresses", "ours-waiting", "ours-connections", "ours-frames", "ours-idle"),
    *("ours-all-on", "ours-all-correlated"),
)
CYCLES = 1500
MOST, LEAST = 60, 0.1
"""The maximal number of functions in a table, and the least calls or microseconds in it."""


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server, and count the calls of functions on the first."""
    cycles = 200 if bench.quick else CYCLES
    contestants = bench.contestants(*NAMES)
    with database("sqlite") as filled:
        kind = bench.servers[0]
        profiles = {}
        for each in contestants:
            bench.say(f"profile, {kind}: {each.name}")
            profiles[each.name] = _profile(kind, each, filled, cycles)
        for server in bench.servers:
            yield _cost(bench, server, filled, cycles)
    yield _totals(kind, profiles)
    if "ours-all-off" in profiles and "ours-all-on" in profiles:
        on, off = profiles["ours-all-on"], profiles["ours-all-off"]
        yield _added("Calls of functions", "calls", kind, on["calls"], off["calls"])
        yield _added("Time of functions", "µs", kind, on["µs"], off["µs"])


def _cost(bench: Bench, kind: str, filled: Database, cycles: int) -> Panel:
    contestants = bench.contestants(*NAMES)
    found = costs(bench, kind, contestants, filled, cycles)
    return Panel(
        title=f"CPU time of a handshake, {kind}",
        unit="µs",
        rounds=[{name: each["all"] for name, each in results.items()} for results in found],
        bases=bench.bases(contestants, "ours-all-off", "ours-log-lines-later"),
        note="The inverse of a ratio is what remains of the handshakes in a second."
        " `ours-log-lines-later` writes two log records without any content of the library.",
    )


Profile = dict[str, dict[str, float]]


def _profile(kind: str, contestant: Contestant, filled: Database, cycles: int) -> Profile:
    """Return how often each function is called in a handshake, and how long it takes."""
    with serving(kind, contestant, filled) as server:
        churn(server, contestant, AT_ONCE)
        server.ask("profile", "start")
        churn(server, contestant, cycles)
        found = server.ask("profile")
    scales = {"calls": (found["calls"], 1), "µs": (found["seconds"], MICROSECONDS)}
    return {
        unit: {name: value * scale / cycles for name, value in values.items()}
        for unit, (values, scale) in scales.items()
    }


def _totals(kind: str, profiles: dict[str, Profile]) -> Panel:
    return Panel(
        title=f"Calls of functions, {kind}",
        unit="calls a handshake",
        rounds=[{name: sum(each["calls"].values()) for name, each in profiles.items()}],
    )


def _added(title: str, unit: str, kind: str, on: dict[str, float], off: dict[str, float]) -> Panel:
    """Return the functions of which everything on needs more."""
    more = {name: value - off.get(name, 0.0) for name, value in on.items()}
    most = sorted(more, key=lambda name: -more[name])[:MOST]
    return Panel(
        title=f"{title} that everything on adds, {kind}",
        unit=f"{unit} a handshake",
        rounds=[{name: more[name] for name in most if more[name] > LEAST}],
    )
