"""Measure the memory and the objects that remain after 100,000 connections.

The library's cache of verified tokens is on: 5,000 tokens come in turn, and their entries end after
one second, so that the cache has to free them, too.
"""

import time
from collections.abc import Iterator
from typing import Any

from .bench import Bench
from .contestants import Contestant
from .databases import Database, database
from .generator import generating
from .run import Panel
from .saturation import AT_ONCE
from .server import serving

__all__ = ["run"]

NAMES = ("bare", "stock", "ours-stock", "ours-bare", "ours")
ENVIRON = {"BENCH_VERIFIED_CACHE_SECONDS": "1"}
SETTLING = 2.0  # seconds until timers and caches have freed their objects
COUNTED = ("tasks", "timers", "descriptors")
MEGABYTE = 2**20


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the first server on SQLite, in one round: no ratio is taken."""
    contestants = bench.contestants(*NAMES)
    cycles = 5_000 if bench.quick else 100_000
    with database("sqlite") as filled:
        found = {}
        for each in contestants:
            found[each.name] = _churn(each, bench.servers[0], filled, cycles)
            bench.say(f"churn: {each.name}")
    yield Panel(
        title=f"Memory kept after {cycles:,} connections, {bench.servers[0]}",
        unit="MB more",
        rounds=[
            {
                name: (after["rss"] - before["rss"]) / MEGABYTE
                for name, (before, after) in found.items()
            }
        ],
        facts={
            name: {fact: f"{before[fact]} → {after[fact]}" for fact in COUNTED}
            for name, (before, after) in found.items()
        },
        note="Counted after a tenth of the connections, and after all of them.",
    )


def _churn(
    contestant: Contestant, kind: str, filled: Database, cycles: int
) -> list[dict[str, Any]]:
    states = []
    with serving(kind, contestant, filled, ENVIRON) as server:
        for count in (cycles // 10, cycles - cycles // 10):
            with generating(server.port, contestant, clients=AT_ONCE, cycles=count) as load:
                report = load.wait_until_settled()
            time.sleep(SETTLING)
            states.append(server.state("collect"))
            if report["failed"] or report["wrongly_refused"]:
                raise RuntimeError(f"{contestant.name} went wrong: {report}")
    return states
