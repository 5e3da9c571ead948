"""Measure one sweep over 10,000 sockets with as many tokens, among a million rows in PostgreSQL.

The time in the database is the CPU time of PostgreSQL's process for the session; `waited for` is
how long the library's thread waited for its queries. A stall of the event loop is the longest delay
of a sleep of one millisecond, during a sweep and in the second before it. The tokens are spread
evenly over the million.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from . import people
from .bench import Bench
from .contestants import BEARER, COLD, Contestant
from .databases import Database, database
from .generator import generating
from .machine import cpu_seconds
from .run import Panel
from .saturation import AT_ONCE
from .server import Server, serving

__all__ = ["open_and_sweep", "panels", "run"]

SOCKETS = 10_000
ENVIRON = {"BENCH_COUNT_QUERIES": "1", "BENCH_SWEEP_INTERVAL": "3600"}
APART = people.MILLION // SOCKETS


def _contestant(name: str, backend: str, token: Any) -> Contestant:
    return Contestant(
        name=name,
        application="ours",
        header=BEARER,
        good=lambda number: token(number * APART),
        environ=COLD | {"BENCH_BACKEND": backend},
    )


BACKENDS = (
    _contestant("drf", "drf.DRFTokenBackend", people.key),
    _contestant("knox", "knox.KnoxTokenBackend", people.knox_token),
)


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the last server, uvicorn by default; always on PostgreSQL."""
    kind, sockets = bench.servers[-1], 500 if bench.quick else SOCKETS
    with database("postgresql") as filled:
        bench.say("sweep: filling a million rows")
        filled.run("fill_million")
        filled.server.stop()
        filled.server.start()
        found = {}
        for each in BACKENDS:
            found[each.name] = open_and_sweep(
                each, bench.servers[-1], filled, sockets, bench.rounds
            )
            bench.say(f"sweep: {each.name}")
    yield from panels(found, kind, sockets)


def open_and_sweep(
    contestant: Contestant, kind: str, filled: Database, sockets: int, rounds: int
) -> list[dict[str, Any]]:
    """Return the times of `rounds` sweeps over `sockets` sockets."""
    handshakes = contestant.handshakes(people=sockets)
    options = {"clients": sockets, "at_once": AT_ONCE, "then": "stay", "handshakes": handshakes}
    with (
        serving(kind, contestant, filled, ENVIRON) as server,
        generating(server.port, contestant, **options) as load,
    ):
        load.wait_until_settled()
        server.state("collect")
        found = [_sweep(server) for _ in range(rounds)]
        stayed = load.report()["open"]
    if stayed != sockets or {each["sockets"] for each in found} != {sockets}:
        raise RuntimeError(f"{contestant.name}: {stayed} of {sockets} sockets stayed: {found}")
    return found


def _sweep(server: Server) -> dict[str, Any]:
    backend = server.state()["backend"]
    before = cpu_seconds(backend) if backend else 0.0
    found = server.ask("sweep")
    return found | {"database": cpu_seconds(backend) - before if backend else 0.0}


def panels(found: dict[str, list[dict[str, Any]]], kind: str, sockets: int) -> Iterator[Panel]:
    """Yield a table for the time in the database, and one for the stalls."""
    titles = {"database": "In the database", "stall": "The longest stall of the event loop"}
    for key, title in titles.items():
        yield Panel(
            title=f"{title}, {sockets:,} sockets, {kind}",
            unit="ms",
            rounds=[
                {name: each[key] * 1000 for name, each in zip(found, sweeps, strict=True)}
                for sweeps in zip(*found.values(), strict=True)
            ],
            facts={name: _facts(sweeps) for name, sweeps in found.items()},
        )


def _facts(sweeps: Sequence[dict[str, Any]]) -> dict[str, str]:
    def middle(key: str) -> float:
        return median(each[key] for each in sweeps)

    return {
        "stall in quiet": f"{middle('quiet') * 1000:.1f} ms",
        "queries": f"{middle('queries'):,.0f}",
        "waited for": f"{middle('waited') * 1000:,.0f} ms",
        "whole sweep": f"{middle('seconds') * 1000:,.0f} ms",
    }
