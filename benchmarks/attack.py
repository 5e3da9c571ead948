"""Measure good users while ten times as many hostile handshakes arrive, from 200 addresses.

The hostile clients send bad tokens and tickets, send nothing, send a first frame of 1 MB or one
that inflates to 15 MB, come from a foreign page, or request tickets without end. All limits have
their defaults, set explicitly so that they apply to loopback addresses. The server has the flags
that its page recommends. Good and hostile clients share one CPU: `clients late` is the delay of the
good clients themselves (p99), and is part of their measurements. `bare` accepts all clients without
the library: it shows how much the server alone slows down. One client of each kind, except the
silent one, has connected before. The last table shows where the server spends its time.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .bench import Bench
from .contestants import CONTESTANTS, Contestant
from .databases import ROOT, Database, database
from .hostile import KINDS
from .machine import GENERATOR_CPU
from .memory import resident
from .run import Panel, in_rounds
from .server import Server, serving

__all__ = ["run"]

LIMITS = {"FAILURES": "30/min", "WAITING": {"address": 50, "node": 1000}}
FLAGS = {"granian": (), "uvicorn": ("--ws-max-size=65536", "--ws-per-message-deflate=false")}
GOOD, HOSTILE = 20.0, 200.0  # a second
RATE_ALONE = 50.0  # a second, of one kind
DEADLINE = 120.0
MEGABYTE = 2**20
NAMES = {"quiet": False, "attacked": True}


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each server on the first database: SQLite by default."""
    seconds = 3.0 if bench.quick else 20.0
    with database(bench.databases[0]) as filled:
        for kind in bench.servers:
            for contestant in bench.contestants("ours", "bare"):
                where = kind if contestant.name == "ours" else f"{kind}, {contestant.name}"
                measures = {
                    name: partial(_measure, contestant, kind, filled, seconds, hostile)
                    for name, hostile in NAMES.items()
                }
                say = partial(_say, bench, where)
                yield from _panels(where, in_rounds(measures, max(1, bench.rounds // 4), say))
            yield _costs(kind, filled, 20 if bench.quick else 200)


def _say(bench: Bench, where: str, line: str) -> None:
    bench.say(f"attack, {where}: {line}")


def _panels(where: str, found: Sequence[Mapping[str, Any]]) -> Iterator[Panel]:
    last = found[-1]
    facts = {
        name: {
            "clients late": f"{max(_p99(each[name]['late']) for each in found) * 1000:.1f} ms",
            "refused good users": str(sum(len(each[name]["refused"]) for each in found)),
            "memory": f"{last[name]['memory'] / MEGABYTE:,.0f} MB",
            "CPU": f"{last[name]['cpu']:.0%}",
        }
        for name in NAMES
    }
    for what in ("handshakes", "messages"):
        yield Panel(
            title=f"p99 of good users' {what}, {where}",
            unit="ms",
            rounds=[{n: _p99(each[n][what]) * 1000 for n in NAMES} for each in found],
            bases=("quiet",),
            facts=facts,
            note=f"The answers to the hostile clients: {_answers(last['attacked']['told'])}."
            if what == "handshakes"
            else "Of 20 users who are connected the whole time.",
        )


def _measure(
    contestant: Contestant, kind: str, filled: Database, seconds: float, hostile: bool
) -> dict[str, Any]:
    environ = {"BENCH_LIMITS": json.dumps(LIMITS)}
    with serving(kind, contestant, filled, environ, flags=FLAGS[kind]) as server:
        _warm_up(server)
        before = server.state()["cpu"]
        attackers = _program("hostile", server.port, HOSTILE, seconds) if hostile else None
        visitors = _program("visitors", server.port, GOOD, seconds)
        found = json.loads(visitors.communicate(timeout=DEADLINE)[0])
        cpu = (server.state()["cpu"] - before) / seconds
        memory = resident(server)
        told = json.loads(attackers.communicate(timeout=DEADLINE)[0]) if attackers else {}
        return {**found, "told": told, "memory": memory, "cpu": cpu}


def _warm_up(server: Server) -> None:
    """Have the server import and connect what its first clients need."""
    _program("visitors", server.port, GOOD, 1.0).communicate(timeout=DEADLINE)
    others = [name for name in KINDS if name != "silent"]  # it would take AUTH_TIMEOUT
    _program("hostile", server.port, len(others), 1.0, *others).communicate(timeout=DEADLINE)


def _costs(kind: str, filled: Database, count: int) -> Panel:
    """Attack with one kind after the other, and measure the server's CPU time."""
    environ = {"BENCH_LIMITS": json.dumps(LIMITS)}
    found = {}
    with serving(kind, CONTESTANTS["ours"], filled, environ, flags=FLAGS[kind]) as server:
        for name in KINDS:
            before = server.state()
            alone = _program("hostile", server.port, RATE_ALONE, count / RATE_ALONE, name)
            alone.communicate(timeout=DEADLINE)
            after = server.state()
            loop = after["threads"]["MainThread"] - before["threads"]["MainThread"]
            found[name] = (after["cpu"] - before["cpu"], loop)
    return Panel(
        title=f"CPU time of one hostile client, by what it does, {kind}",
        unit="µs",
        rounds=[{name: spent / count * 1e6 for name, (spent, _) in found.items()}],
        facts={
            name: {"event loop, µs": f"{loop / count * 1e6:.0f}"}
            for name, (_, loop) in found.items()
        },
        note=f"One kind after the other, {count} clients each, without good users.",
    )


def _program(name: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start clients on the generator's CPU. The hostile ones must not delay the good ones there.

    Real-time priority (`chrt --fifo 10 python3 dev.py bench attack`) measures also on a machine
    that does other work, where `nice` has no effect between sessions.
    """
    prefix = ["setpriv", "--pdeathsig=KILL", "taskset", "--cpu-list", str(GENERATOR_CPU)]
    is_real_time = os.sched_getscheduler(0) != os.SCHED_OTHER
    lower = ["chrt", "--fifo", "1"] if is_real_time else ["nice", "-n", "10"]
    prefix += lower if name == "hostile" else []
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1] if seconds else math.nan


def _answers(told: Mapping[str, Mapping[str, int]]) -> str:
    def one(kind: str) -> str:
        return ", ".join(f"{count:,} × {answer}" for answer, count in sorted(told[kind].items()))

    return "; ".join(f"{kind}: {one(kind) or 'none'}" for kind in told)
