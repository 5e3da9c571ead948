"""Measure messages a second, each answered, on 64 sockets that are already open."""

from collections.abc import Iterator
from functools import partial
from statistics import median

from .bench import Bench
from .databases import Database, database
from .run import Panel
from .saturation import cpu_facts, saturate
from .server import serving_all

__all__ = ["run"]

NAMES = ("bare", "stock", "tutorial", "ours-stock", "ours", "ours-bare")


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server on SQLite; no message makes a query."""
    with database("sqlite") as filled:
        for kind in bench.servers:
            yield _panel(bench, kind, filled)


def _panel(bench: Bench, kind: str, filled: Database) -> Panel:
    contestants = bench.contestants_and_before(*NAMES)
    seconds = 0.3 if bench.quick else 0.8
    with serving_all(kind, contestants, filled) as servers:
        measures = {
            each: partial(saturate, server, seconds=seconds, then="talk")
            for each, server in servers.items()
        }
        found = bench.compare(kind, measures)
    return Panel(
        title=kind,
        unit="messages/s",
        rounds=[
            {name: each["echoes"]["count"] / each["seconds"] for name, each in results.items()}
            for results in found
        ],
        bases=bench.bases(contestants, "bare", "stock"),
        facts={
            each.name: {
                "p99": f"{median(r[each.name]['echoes']['p99'] for r in found) * 1000:.1f} ms",
                **cpu_facts(results[each.name] for results in found),
            }
            for each in contestants
        },
    )
