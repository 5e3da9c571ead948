"""Measure handshakes a second and memory while more and more idle sockets are open.

Channels' consumers are measured up to 10,000 sockets: their layer in memory looks at all its
channels for each new one, so that the next 10,000 sockets take minutes to open.
"""

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from .bench import Bench
from .contestants import Contestant
from .databases import Database, database
from .generator import generating
from .memory import resident
from .run import Panel
from .saturation import AT_ONCE, saturate
from .server import serving

__all__ = ["run"]

NAMES = ("bare", "stock", "ours-stock", "ours")
WITH_CHANNELS = ("stock", "ours-stock")
SIZES = (100, 1_000, 10_000, 20_000)
MOST_CHANNELS = 10_000
QUICK_SIZES = (100, 500)
SECONDS = 4.0  # with 10,000 channels in memory one handshake takes over a second
SPARE = 500  # descriptors for everything else
MEGABYTE = 2**20


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the first server on SQLite, with at most as many sockets as descriptors."""
    contestants = bench.contestants(*NAMES)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE
    sizes = sorted({min(size, most) for size in (QUICK_SIZES if bench.quick else SIZES)})
    rounds = max(1, bench.rounds // 4)
    with database("sqlite") as filled:
        measure = partial(_grow, kind=bench.servers[0], filled=filled, sizes=sizes)
        found = bench.compare("growth", dict.fromkeys(contestants, measure), rounds)
    limited = "" if most >= SIZES[-1] else f"A process may have {most + SPARE:,} open files here."
    for size in sizes:
        measured = [
            {name: each[size] for name, each in values.items() if size in each} for values in found
        ]
        yield Panel(
            title=f"With {size:,} open sockets, {bench.servers[0]}",
            unit="handshakes/s",
            rounds=[{name: speed for name, (speed, _) in values.items()} for values in measured],
            bases=tuple(name for name in ("bare", "stock") if name in measured[0]),
            facts={
                name: {"memory": f"{memory / MEGABYTE:,.0f} MB"}
                for name, (_, memory) in measured[-1].items()
            },
            note=limited,
        )


def _grow(
    contestant: Contestant, *, kind: str, filled: Database, sizes: list[int]
) -> dict[int, tuple[float, int]]:
    """Return handshakes a second and the process's bytes, for each number of open sockets."""
    found = {}
    with serving(kind, contestant, filled) as server, ExitStack() as idle:
        opened = 0
        for size in sizes:
            if size > MOST_CHANNELS and contestant.name in WITH_CHANNELS:
                break
            options = {"clients": size - opened, "at_once": AT_ONCE, "then": "stay"}
            load = idle.enter_context(generating(server.port, contestant, **options))
            opened += load.wait_until_settled()["open"]
            if opened != size:
                raise RuntimeError(f"{contestant.name}: {opened} of {size} sockets are open")
            memory = resident(server)
            report = saturate(server, contestant, SECONDS)
            found[size] = (report["cycles"] / report["seconds"], memory)
    return found
