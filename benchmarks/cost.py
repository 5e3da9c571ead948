"""Measure the CPU time of one handshake, with a message, its answer and a close; and profile it.

CPU time of the server's process, not time on a clock: other load on the machine changes it little.
64 clients at once, on SQLite. Each handshake presents another token of 5,000, and the library's
cache is off, except for the contestants called warm. Further servers count what a handshake
requests of the event loop, and profile the functions in its thread, which slows these servers down.
A profile makes short functions look longer than they are.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

from .bench import Bench
from .contestants import Contestant
from .databases import Database, database
from .generator import generating
from .run import Panel
from .saturation import AT_ONCE
from .server import Server, serving, serving_all

__all__ = ["MICROSECONDS", "churn", "costs", "run"]

NAMES = (
    *("bare", "stock", "prototype-stock", "prototype-stock-warm"),
    *("ours-stock", "ours-stock-warm"),
    *("ours", "ours-warm", "ours-bare", "ours-bare-warm"),
)
PROFILED = ("stock", "ours-stock", "ours-stock-warm", "ours", "ours-bare", "ours-bare-warm")
CYCLES = 1500
MICROSECONDS = 1e6


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server, and profile the first."""
    cycles = 200 if bench.quick else CYCLES
    with database("sqlite") as filled:
        for kind in bench.servers:
            yield _cost(bench, kind, filled, cycles)
        kind = bench.servers[0]
        for contestant in bench.contestants(*PROFILED):
            bench.say(f"profile, {kind}: {contestant.name}")
            yield _profile(kind, contestant, filled, cycles)


def costs(
    bench: Bench, kind: str, contestants: Sequence[Contestant], filled: Database, cycles: int
) -> list[dict[str, Any]]:
    """Return what a handshake of each contestant costs, in microseconds, round by round."""
    with serving_all(kind, contestants, filled) as servers:
        measures = {
            each: partial(microseconds, server, cycles=cycles) for each, server in servers.items()
        }
        return bench.compare(kind, measures)


def _cost(bench: Bench, kind: str, filled: Database, cycles: int) -> Panel:
    contestants = bench.contestants(*NAMES)
    found = costs(bench, kind, contestants, filled, cycles)
    return Panel(
        title=f"CPU time of a handshake, {kind}",
        unit="µs",
        rounds=[{name: each["all"] for name, each in results.items()} for results in found],
        bases=bench.bases(contestants, "bare", "stock"),
        facts={
            each.name: {
                f"{thread}, µs": f"{median(results[each.name][thread] for results in found):.0f}"
                for thread in ("event loop", "other threads")
            }
            | _counts(kind, each, filled, cycles)
            for each in contestants
        },
        note="All counts are for one handshake. Granian also runs threads of its own.",
    )


def microseconds(server: Server, contestant: Contestant, *, cycles: int) -> dict[str, float]:
    """Return the microseconds of one handshake, of the process and of Python's threads."""
    churn(server, contestant, AT_ONCE)
    before = server.state()
    churn(server, contestant, cycles)
    after = server.state()
    threads = {
        name: seconds - before["threads"].get(name, 0.0)
        for name, seconds in after["threads"].items()
    }
    spent = {"all": after["cpu"] - before["cpu"], "event loop": threads.pop("MainThread")}
    spent["other threads"] = sum(threads.values())
    return {name: seconds / cycles * MICROSECONDS for name, seconds in spent.items()}


def _counts(kind: str, contestant: Contestant, filled: Database, cycles: int) -> dict[str, str]:
    with serving(kind, contestant, filled) as server:
        churn(server, contestant, AT_ONCE)
        server.ask("profile", "count")
        churn(server, contestant, cycles)
        counts: dict[str, int] = server.ask("profile")["counts"]
    return {name: f"{count / cycles:.1f}" for name, count in counts.items()}


def _profile(kind: str, contestant: Contestant, filled: Database, cycles: int) -> Panel:
    with serving(kind, contestant, filled) as server:
        churn(server, contestant, AT_ONCE)
        server.ask("profile", "start")
        churn(server, contestant, cycles)
        functions = server.ask("profile")["functions"]
    return Panel(
        title=f"Functions of {contestant.name} in the event loop, profiled, {kind}",
        unit="µs a handshake",
        rounds=[{name: seconds / cycles * MICROSECONDS for name, seconds in functions.items()}],
    )


def churn(server: Server, contestant: Contestant, cycles: int) -> dict[str, Any]:
    """Open and close so many sockets. Fails if a client was refused or admitted wrongly."""
    with generating(server.port, contestant, clients=AT_ONCE, cycles=cycles) as load:
        report = load.wait_until_settled()
    if report["wrongly_refused"] or report["wrongly_admitted"] or report["failed"]:
        raise RuntimeError(f"{contestant.name} went wrong: {report}")
    return report
