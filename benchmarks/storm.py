"""Everybody comes back at once: 5,000 clients of 2,500 people within 1.5 seconds, on PostgreSQL.

It is over when all are served: connected, and their first message answered; or after 8 s. 64 are
connected before and send a message every 50 ms; how long they wait until all are served shows what
the rest of the site feels; `others' p99 when all leave`: how long they wait when the 5,000 then
leave at once. Clients that are asked to come back, or get no answer, do.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from tests.services import PostgreSQL

from .bench import Bench
from .contestants import Contestant
from .databases import Database, database
from .generator import Load, generating
from .run import Panel
from .server import Server, serving_all

__all__ = ["MANY", "Storm", "compare", "run"]

MANY = ("bare", "stock", "tutorial", "peer-auth-token", "ours")
WATCHERS = 64
PAUSE = 0.05
QUIET = 1.0
ARRIVAL = 1.5
COUNT = {"BENCH_COUNT_QUERIES": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """One variant. `patience`: seconds after which who is not served is counted as such."""

    title: str
    contestants: Sequence[str]
    bad_of_ten: int = 0
    outage: float = 0.0
    delay: float = 0.0
    patience: float = 8.0

    @property
    def environ(self) -> dict[str, str]:
        return COUNT | {"BENCH_QUERY_DELAY": str(self.delay)}


def run(bench: Bench) -> Iterator[Panel]:
    """The first server."""
    with database("postgresql") as filled:
        yield from compare(bench, Storm(title="All come back", contestants=MANY), filled)


def compare(
    bench: Bench, storm: Storm, filled: Database, rounds: int | None = None
) -> Iterator[Panel]:
    """One variant's panels."""
    contestants = bench.contestants(*storm.contestants)
    clients = 500 if bench.quick else 5000
    with serving_all(bench.servers[0], contestants, filled, storm.environ) as servers:
        measures = {
            each: partial(_measure, server, storm=storm, filled=filled, clients=clients)
            for each, server in servers.items()
        }
        found = bench.compare(storm.title, measures, rounds)
    facts = {each.name: _facts([results[each.name] for results in found]) for each in contestants}
    first = (
        ("clients served in the end", "served") if storm.outage else ("clients served/s", "rate")
    )
    panels = (
        first,
        ("s until 99 % are served", "p99"),
        ("others' p99, over that in quiet", "felt"),
    )
    for unit, key in panels:
        yield Panel(
            title=f"{storm.title}: {clients:,} clients, {bench.servers[0]}",
            unit=unit,
            rounds=[
                {name: each[key] for name, each in results.items() if key in each}
                for results in found
            ],
            bases=bench.bases(contestants, "bare", "stock", "tutorial"),
            facts=facts if (unit, key) == first else {},
        )


def _measure(
    server: Server, contestant: Contestant, *, storm: Storm, filled: Database, clients: int
) -> dict[str, Any]:
    options = {"clients": WATCHERS, "then": "talk", "pause": PAUSE}
    with generating(server.port, contestant, "--retry", **options) as watchers:
        watchers.wait_until_settled()
        watchers.report()
        time.sleep(QUIET)
        quiet = watchers.report()
        before = server.state()
        report, felt = _storm(server, contestant, storm, filled, clients, watchers=watchers)
        time.sleep(QUIET)  # the server may not have handled all who left
        leaving = watchers.report()
    after = server.state()
    _let_it_rest(server)
    if "p99" in felt["echoes"] and "p99" in quiet["echoes"]:  # else the others were not served
        report["felt"] = felt["echoes"]["p99"] / quiet["echoes"]["p99"]
    if "p99" in report["handshakes"]:
        report["p99"] = report["handshakes"]["p99"]
    return report | {
        "others": felt["echoes"].get("p99", math.inf),
        "leaving": leaving["echoes"].get("p99", math.inf),
        "rate": report["handshakes"]["count"] / report["seconds"],
        "served": report["handshakes"]["count"],
        "queries": after["queries"] - before["queries"],
        "sessions": after["sessions"] - before["sessions"],
        "for one token": after["in_flight_for_one_token"],
    }


def _let_it_rest(server: Server) -> None:
    """Some go on with what nobody waits for any more, at the expense of who is measured next."""
    busy = True
    while busy:
        before = server.state()["cpu"]
        time.sleep(QUIET / 2)
        busy = server.state()["cpu"] - before > QUIET / 20


def _storm(
    server: Server,
    contestant: Contestant,
    storm: Storm,
    filled: Database,
    clients: int,
    *,
    watchers: Load,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reports of the storm and of the watchers when all are served, or patience is over."""
    handshakes = contestant.handshakes(bad_of_ten=storm.bad_of_ten, people=clients // 2)
    options = {"clients": clients, "arrive": ARRIVAL, "then": "stay"}
    with generating(server.port, contestant, "--retry", handshakes=handshakes, **options) as load:
        if storm.outage:
            _outage(filled.server, storm.outage)
        report = load.wait_until_settled(storm.patience)
        # Before they leave: the watchers wait for that too, but it is no part of the storm.
        return report, watchers.report()


def _outage(postgresql: PostgreSQL, seconds: float) -> None:
    """Stop it in the middle of the arrivals. In no thread: it would end with that."""
    time.sleep(ARRIVAL / 2)
    postgresql.stop()
    time.sleep(seconds)
    postgresql.start()


def _facts(found: list[dict[str, Any]]) -> dict[str, str]:
    def middle(key: str) -> float:
        return median(each[key] for each in found)

    def quantile(name: str) -> str:
        return f"{median(each['handshakes'].get(name, 0) for each in found):.2f} s"

    return {
        "served": f"{middle('served'):,.0f}",
        "after": f"{middle('seconds'):.1f} s",
        "p50": quantile("p50"),
        "p99": quantile("p99"),
        "others' p99": f"{middle('others') * 1000:,.0f} ms",
        "others' p99 when all leave": f"{middle('leaving') * 1000:,.0f} ms",
        "told": _told(found),
        "good ones called bad": str(sum(each["wrongly_refused"] for each in found)),
        "queries": f"{middle('queries'):,.0f}",
        "sessions": f"{middle('sessions'):,.0f}",
        "at once for one token": f"{middle('for one token'):.0f}",
    }


def _told(found: list[dict[str, Any]]) -> str:
    """Return the answers to clients that were not served, in the last round."""
    answers = found[-1]["told"] | found[-1]["failed"]
    return ", ".join(f"{count:,} × {answer}" for answer, count in answers.items())
