"""Measure the resident memory of an idle, authenticated socket, and the part the library adds.

Each measurement has a fresh server, because a process uses freed memory again. Each client sends a
token of its own, of 5,000, in a header; also to `bare` and `stock`, which ignore it, because a
server keeps the header in memory. The last tables list the lines of code that allocate this
memory, in further servers: tracing allocations takes time and memory itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from .bench import Bench
from .contestants import BEARER, Contestant
from .databases import Database, database
from .generator import generating
from .run import Panel
from .saturation import AT_ONCE
from .server import serving

__all__ = ["resident", "run"]

NAMES = ("bare", "ours-bare", "stock", "ours-stock", "ours")
PROFILED = ("stock", "ours-stock", "ours")
MOST_LINES = 40
WARM_UP = 500
KILOBYTE = 1024


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the last server on SQLite: uvicorn by default."""
    contestants = [replace(it, header=BEARER) for it in bench.contestants_and_before(*NAMES)]
    kind, sockets = bench.servers[-1], 500 if bench.quick else 3000
    rounds = max(1, bench.rounds // 2)
    with database("sqlite") as filled:
        measure = partial(_per_socket, kind=kind, filled=filled, sockets=sockets)
        found = bench.compare("memory", dict.fromkeys(contestants, measure), rounds)
    yield Panel(
        title=f"Memory of one idle socket of {sockets:,}, {kind}",
        unit="KB",
        rounds=found,
        bases=bench.bases(contestants, "bare", "stock"),
    )
    pairs = {"ours-bare": "bare", "ours-stock": "stock", "ours": "bare"}
    present = {each.name for each in contestants}
    added = {name: base for name, base in pairs.items() if {name, base} <= present}
    if added:
        yield Panel(
            title="What the library adds to it",
            unit="KB",
            rounds=[
                {name: values[name] - values[base] for name, base in added.items()}
                for values in found
            ],
            facts={name: {"over": base} for name, base in added.items()},
        )
    for contestant in (replace(it, header=BEARER) for it in bench.contestants(*PROFILED)):
        bench.say(f"allocations, {kind}: {contestant.name}")
        with database("sqlite") as filled:
            yield _allocations(kind, contestant, filled, sockets // 5)


def _allocations(kind: str, contestant: Contestant, filled: Database, sockets: int) -> Panel:
    with serving(kind, contestant, filled) as server:
        with generating(server.port, contestant, clients=AT_ONCE, cycles=WARM_UP) as load:
            load.wait_until_settled()
        server.ask("profile", "allocations")
        with generating(
            server.port, contestant, clients=sockets, at_once=AT_ONCE, then="stay"
        ) as load:
            load.wait_until_settled()
            found = server.ask("profile")["allocations"]
    by_line = {line: size / sockets for line, size in found.items()}
    largest = sorted(by_line, key=lambda line: -by_line[line])[:MOST_LINES]
    return Panel(
        title=f"Lines that allocate an idle socket of {contestant.name}, {kind}",
        unit="bytes",
        rounds=[{line: by_line[line] for line in largest}],
        note=f"All lines: {sum(by_line.values()):,.0f} bytes.",
    )


def _per_socket(contestant: Contestant, *, kind: str, filled: Database, sockets: int) -> float:
    with serving(kind, contestant, filled) as server:
        with generating(server.port, contestant, clients=AT_ONCE, cycles=WARM_UP) as load:
            load.wait_until_settled()
        before = resident(server)
        with generating(
            server.port, contestant, clients=sockets, at_once=AT_ONCE, then="stay"
        ) as load:
            opened = load.wait_until_settled()["open"]
            if opened != sockets:
                raise RuntimeError(f"{contestant.name}: {opened} of {sockets} sockets are open")
            return (resident(server) - before) / sockets / KILOBYTE


def resident(server) -> int:
    """Return the resident bytes of a server, after a garbage collection."""
    return server.state("collect")["rss"]
