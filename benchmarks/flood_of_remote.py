"""Flood a backend that asks a slow server with bad tokens, and measure good logins and sweeps.

400 handshakes a second arrive with tokens that only an authorization server may know. It takes
50 ms for each, and the backend asks about eight at once, so it verifies about 160 a second.
Meanwhile others log in by tokens with a row. The limit on waiting sockets is raised, because it
would refuse the flood earlier.

Each bad client connects once, at a fixed time. If refused clients connected again at once, their
number would depend on the speed of the server, and would not be 400 a second.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .authorization_server import slow_authorization_server
from .bench import Bench
from .contestants import Contestant
from .databases import Database
from .generator import generating
from .run import Panel
from .server import Server, serving

__all__ = ["NAME", "flood_of_remote"]

NAME = "ours-remote"
RATE = 400  # bad handshakes a second
GOOD_RATE = 20
HELD = 200  # sockets that a sweep asks about
BUILD_UP = 1.0  # seconds until the queue of the slow backend is full
RECOVERY = 2.0  # seconds after the flood until all must be as before
BOUND = 1.0  # seconds that 95 of 100 good handshakes, and a sweep, may take
ONCE = "stay"  # clients that stay do not connect again, whether served or refused


def flood_of_remote(bench: Bench, kind: str, filled: Database) -> Iterator[Panel]:
    """Measure the library alone: nothing else has lanes to compare with."""
    seconds = 3.0 if bench.quick else 10.0
    with slow_authorization_server() as url:
        environ = {
            "BENCH_INTROSPECTION": url,
            "BENCH_SWEEP_INTERVAL": "3600",
            "BENCH_WAITING": "10000",
        }
        (ours,) = bench.contestants(NAME)
        contestant = replace(ours, environ={**ours.environ, **environ})
        found = bench.compare(
            "flood", {contestant: lambda each: _phases(each, kind, filled, seconds)}
        )
    rounds = [each[NAME] for each in found]
    yield Panel(
        title=f"95 of 100 good handshakes, {RATE} bad ones a second at a slow backend, {kind}",
        unit="ms",
        rounds=[{phase: facts["p95"] * 1000 for phase, facts in each.items()} for each in rounds],
        facts={
            phase: {
                "slowest": f"{max(each[phase]['max'] for each in rounds) * 1000:,.0f} ms",
                "a sweep": f"{max(each[phase]['sweep'] for each in rounds) * 1000:,.0f} ms",
                "within a second": "yes" if all(_is_kept(each[phase]) for each in rounds) else "no",
                "bad ones": _answers(rounds[-1][phase]["told"]),
                "server's CPU": f"{max(each[phase]['cpu'] for each in rounds):.0%}",
            }
            for phase in rounds[0]
        },
        note=f"Tokens with a row; a sweep over {HELD} sockets. After: {RECOVERY:.0f} s later.",
    )


def _phases(
    contestant: Contestant, kind: str, filled: Database, seconds: float
) -> dict[str, dict[str, Any]]:
    with (
        serving(kind, contestant, filled) as server,
        generating(server.port, contestant, clients=HELD, then="stay") as held,
    ):
        held.wait_until_settled()
        server.ask("sweep")  # the first one starts threads
        calm = _feel(server, contestant, seconds)
        bad = contestant.handshakes(bad_of_ten=10)
        attackers = int(RATE * (seconds + BUILD_UP))
        options = {"clients": attackers, "arrive": seconds + BUILD_UP, "then": ONCE}
        with generating(server.port, contestant, handshakes=bad, **options) as load:
            time.sleep(BUILD_UP)
            during = _feel(server, contestant, seconds)
            report = load.wait_until_settled(RECOVERY)
            _require_flood(report, attackers, contestant)
        time.sleep(RECOVERY)
        after = _feel(server, contestant, seconds)
    return {"before": calm, "during": during | {"told": report["told"]}, "after": after}


def _feel(server: Server, contestant: Contestant, seconds: float) -> dict[str, Any]:
    """Log in for some seconds and sweep meanwhile, and return the times of both."""
    options = {"clients": int(GOOD_RATE * seconds), "arrive": seconds, "then": ONCE}
    before = server.state()["cpu"]
    with generating(server.port, contestant, **options) as load:
        swept = server.ask("sweep")
        report = load.wait_until_settled()
        cpu = server.state()["cpu"] - before
    _require(report, contestant)
    if swept["sockets"] < HELD or report["told"]:
        raise RuntimeError(
            f"{contestant.name}: {swept}, and good clients were told {report['told']}"
        )
    return {
        "p95": report["handshakes"]["p95"],
        "max": report["handshakes"]["max"],
        "sweep": swept["seconds"],
        "cpu": cpu / report["seconds"],
        "told": {},
    }


def _require_flood(report: dict[str, Any], attackers: int, contestant: Contestant) -> None:
    """Raise RuntimeError unless each bad client was answered once: else there was no such flood."""
    _require(report, contestant)
    if sum(report["told"].values()) != attackers:
        raise RuntimeError(f"Of {attackers} bad clients were told: {report['told']}")


def _require(report: dict[str, Any], contestant: Contestant) -> None:
    if report["wrongly_refused"] or report["wrongly_admitted"] or report["failed"]:
        raise RuntimeError(f"{contestant.name} went wrong: {report}")


def _answers(told: dict[str, int]) -> str:
    return ", ".join(f"{count:,} × {answer}" for answer, count in sorted(told.items())) or "none"


def _is_kept(facts: dict[str, Any]) -> bool:
    return max(facts["p95"], facts["sweep"]) < BOUND
