"""Measure handshakes a second: connect, handshake, message, answer and close; 64 clients at once.

Each handshake presents another token of 5,000, and the library's cache is off, except for the
contestants called warm: those present 16 in turn. `prototype-` is the least that a middleware must
do for a token, so ours divided by it is the price of the library's features. `ours-all-on` counts
metrics, enforces all limits and writes audit records; `ours-metrics` counts metrics only,
`ours-audit` writes audit records only, and `ours-all-off` does none of it.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from statistics import median

from .bench import Bench
from .databases import Database, database
from .run import Panel
from .saturation import cpu_facts, saturate
from .server import serving_all

__all__ = ["run"]

PROTOTYPES = tuple(
    f"prototype-{inside}{warm}" for inside in ("stock", "bare", "lean") for warm in ("", "-warm")
)
NAMES = (
    *("bare", "stock", "tutorial", "peer-auth-token", "peer-jwt"),
    *PROTOTYPES,
    *("ours-stock", "ours-stock-warm", "ours", "ours-warm", "ours-bare", "ours-bare-warm"),
    *("ours-all-off", "ours-metrics", "ours-audit", "ours-all-on"),
)


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server on each database; with `--quick`, each server on one."""
    pair = zip if bench.quick else product
    for kind, server in pair(bench.databases, bench.servers):
        with database(kind) as filled:
            yield panel(bench, server, filled)


def panel(bench: Bench, kind: str, filled: Database) -> Panel:
    title = f"{kind}, {filled.kind}"
    also = ["tutorial-reconnecting"] if filled.server else []
    contestants = bench.contestants_and_before(*NAMES, *also)
    seconds = 0.5 if bench.quick else 0.8
    bench.say(f"{title}: starting {len(contestants)} servers")
    with serving_all(kind, contestants, filled) as servers:
        measures = {
            each: partial(saturate, server, seconds=seconds) for each, server in servers.items()
        }
        found = bench.compare(title, measures)
    return Panel(
        title=title,
        unit="handshakes/s",
        rounds=[
            {name: each["cycles"] / each["seconds"] for name, each in results.items()}
            for results in found
        ],
        bases=bench.bases(
            contestants, "bare", "stock", "tutorial", "ours-all-off", "prototype-stock"
        ),
        facts={
            each.name: {
                "p99": _milliseconds(results[each.name]["handshakes"]["p99"] for results in found),
                **cpu_facts(results[each.name] for results in found),
            }
            for each in contestants
        },
    )


def _milliseconds(seconds: Iterator[float]) -> str:
    return f"{median(seconds) * 1000:.1f} ms"
