"""Measure how many good clients are served while nine of ten present a token that nobody has."""

from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

from .bench import Bench
from .contestants import Contestant
from .databases import database
from .flood_of_remote import NAME, flood_of_remote
from .run import Panel
from .saturation import cpu_facts, saturate
from .server import Server, serving_all

__all__ = ["run"]

NAMES = ("tutorial", "peer-auth-token", "peer-jwt", "ours-stock", "ours")
BAD_OF_TEN = 9
GOOD = 1 - BAD_OF_TEN / 10


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the first server on the last database: granian on PostgreSQL by default."""
    contestants = bench.contestants(*NAMES)
    kind = bench.servers[0]
    with (
        database(bench.databases[-1]) as filled,
        serving_all(kind, contestants, filled) as servers,
    ):
        seconds = 0.4 if bench.quick else 0.8
        measures = {
            each: partial(_flood, server, seconds=seconds) for each, server in servers.items()
        }
        found = bench.compare("flood", measures)
        remote = list(flood_of_remote(bench, kind, filled)) if bench.wants(NAME) else []
    yield Panel(
        title=f"Good handshakes among nine times as many bad ones, {kind}, {filled.kind}",
        unit="good handshakes/s",
        rounds=[{name: each["good"] for name, each in results.items()} for results in found],
        bases=bench.bases(contestants, "tutorial", "peer-auth-token"),
        facts={each.name: cpu_facts(r[each.name] for r in found) for each in contestants},
    )
    yield Panel(
        title="The cost of refusing one, over the cost of accepting one",
        unit="refusing ÷ accepting",
        rounds=[{name: each["cost"] for name, each in results.items()} for results in found],
        facts={
            each.name: {
                "without the bad ones": f"{median(r[each.name]['calm'] for r in found):,.0f}/s"
            }
            for each in contestants
        },
        note="An accepted client also gets an answer to its message, and a close.",
    )
    yield from remote


def _flood(server: Server, contestant: Contestant, seconds: float) -> dict[str, Any]:
    calm = saturate(server, contestant, seconds)
    handshakes = contestant.handshakes(bad_of_ten=BAD_OF_TEN)
    flood = saturate(server, contestant, seconds, handshakes=handshakes)
    accepting = calm["seconds"] / calm["cycles"]
    # Good and bad ones come in turn, so the share of the good ones is known. Counting them would be
    # less exact, since they are few.
    each = flood["seconds"] / (flood["handshakes"]["count"] + sum(flood["told"].values()))
    refusing = (each - accepting * GOOD) / (1 - GOOD)
    return flood | {
        "good": GOOD / each,
        "calm": 1 / accepting,
        "cost": refusing / accepting,
    }
