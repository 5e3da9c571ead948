"""Measure the time from a revocation to the close frame at the clients, and that of a kick.

The clock runs from before the call until a client has read its close frame. The call is made in a
process that is not a node, or, with a layer in memory, in the node itself. `kick` is Channels' own
way: each socket joins a group, and `group_send` has each consumer call `self.close(code=4410)`. For
the sockets of one user, the kick only sends a message, while ours calls `revoke_user`, which also
deletes the token. For many tokens, both delete each token; ours calls `revoke_token`. No sweep runs
meanwhile, so that only messages close sockets. A socket of ours that is not closed fails the run.
The kick is not measured on granian, where it hangs until its client sends something.

Many sockets and many tokens are measured by `revocation_many`.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from .bench import Bench
from .commands import commands_of_a_handshake
from .contestants import Contestant
from .databases import Database, database
from .generator import generating
from .machine import cpu_seconds
from .run import Panel, spread
from .saturation import AT_ONCE
from .site import LAYERS, Site, site

__all__ = ["MEMORY", "REDIS", "WHERE", "Case", "measure", "panel", "run", "run_cases"]

NAMES = ("kick", "ours-stock", "ours")
DEADLINE = 20.0
SETTLING = 0.5
QUIET_SHARE, QUIET_MOMENT, QUIET_DEADLINE = 0.1, 0.2, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement. `sockets`: their number on each node. `tokens`: the number of tokens, each
    revoked by its own call. `rivals`: True to measure the kick, too.
    """

    layer: str
    nodes: int
    sockets: int
    tokens: int = 1
    rivals: bool = True

    @property
    def title(self) -> str:
        """Return the heading of its table."""
        whose = "one user" if self.tokens == 1 else f"{self.tokens:,} tokens"
        nodes = "one node" if self.nodes == 1 else f"{self.nodes} nodes"
        return f"{self.sockets * self.nodes:,} sockets of {whose}, {nodes}, {self.layer}"


MEMORY, *REDIS = LAYERS
WHERE = ((MEMORY, 1), *((layer, nodes) for layer in REDIS for nodes in (1, 2)))
CASES = [Case(layer=layer, nodes=nodes, sockets=1000 // nodes) for layer, nodes in WHERE]
QUICK_CASES = [Case(layer=layer, nodes=nodes, sockets=100) for layer, nodes in WHERE[::2]]


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the last server on the last database: uvicorn on PostgreSQL by default."""
    kind = bench.servers[-1]
    with database(bench.databases[-1]) as filled:
        cases = QUICK_CASES if bench.quick else CASES
        yield from run_cases(bench, cases, filled=filled, rounds=bench.rounds)
        for layer in REDIS:
            counts = {}
            for each in _contestants(bench, kind):
                with site(kind, each, layer, nodes=1, filled=filled) as one:
                    counts[each.name] = commands_of_a_handshake(each, one)
            yield commands_panel(layer, counts)


def run_cases(
    bench: Bench, cases: Sequence[Case], *, filled: Database, rounds: int
) -> Iterator[Panel]:
    """Measure each case, and yield its table."""
    kind = bench.servers[-1]
    for case in cases:
        found = measure(bench, kind, case, filled=filled, rounds=rounds)
        yield panel(kind, case, found)


def _contestants(bench: Bench, kind: str, names: Sequence[str] = NAMES) -> list[Contestant]:
    return bench.contestants(*(name for name in names if (name, kind) != ("kick", "granian")))


def measure(
    bench: Bench,
    kind: str,
    case: Case,
    *,
    filled: Database,
    rounds: int,
    names: Sequence[str] = NAMES,
) -> list[dict[str, Any]]:
    """Return the times of each contestant in each round."""
    among = _contestants(bench, kind, names)
    contestants = [each for each in among if case.rivals or each.name != "kick"]
    with ExitStack() as stack:
        sites = {
            each: stack.enter_context(site(kind, each, case.layer, nodes=case.nodes, filled=filled))
            for each in contestants
        }
        measures = dict.fromkeys(contestants, partial(_end, case, sites))
        return bench.compare(case.title, measures, rounds)


def _end(case: Case, sites: Mapping[Contestant, Site], contestant: Contestant) -> dict[str, Any]:
    """Open all sockets, revoke all tokens, and return when each socket was closed."""
    of_it, numbers = sites[contestant], range(case.tokens)
    options = {
        "clients": case.sockets,
        "closes": case.sockets,
        "at_once": AT_ONCE,
        "then": "stay",
        "handshakes": contestant.handshakes(people=case.tokens),
    }
    with ExitStack() as stack:
        loads = [
            stack.enter_context(generating(node.port, contestant, **options))
            for node in of_it.nodes
        ]
        opened = sum(load.wait_until_settled()["open"] for load in loads)
        time.sleep(SETTLING)
        calls = of_it.end("user" if case.tokens == 1 else "token", numbers)
        reports = [load.wait_until_closed(DEADLINE) for load in loads]
    of_it.end("again", numbers)
    # A node that still receives the revocation would refuse new clients. So would any node refuse
    # a JWT of the same second: it tells the second in which it was issued, and no part of it.
    time.sleep(1 + SETTLING)
    _wait_until_quiet(sites.values())
    ends = [end for report in reports for end in report["ends"]]
    told = sum(report["told"].get("4410", 0) for report in reports)
    sockets = case.sockets * case.nodes
    if contestant.name != "kick" and not opened == told == sockets:
        raise RuntimeError(f"{contestant.name}: of {sockets}, {opened} opened, {told} were closed.")
    began = calls["began"]
    return {
        "waited": [moment - began[request] for request, moment in ends],
        "lost": sockets - told,
        "call": (calls["returned"] - began[0]) / len(began),
        "all": max((moment for _, moment in ends), default=0) - began[0],
    }


def _wait_until_quiet(sites: Iterable[Site]) -> None:
    """Wait until all nodes are idle: their work would delay the next contestant."""
    pids = [node.process.pid for site in sites for node in site.nodes]
    deadline = time.monotonic() + QUIET_DEADLINE
    while time.monotonic() < deadline:
        before = sum(map(cpu_seconds, pids))
        time.sleep(QUIET_MOMENT)
        if sum(map(cpu_seconds, pids)) - before < QUIET_SHARE * QUIET_MOMENT:
            return
    raise RuntimeError(f"The nodes were still busy after {QUIET_DEADLINE:.0f} s.")


def panel(kind: str, case: Case, found: Sequence[dict[str, Any]], *, base: str = "kick") -> Panel:
    """Return the table of a case: for one user the last close, for many tokens the p99."""
    share = 1.0 if case.tokens == 1 else 0.99
    names = list(found[0])
    return Panel(
        title=f"{case.title}, {kind}",
        unit="ms until all are closed" if case.tokens == 1 else "ms from a call, 99 of 100",
        rounds=[
            {name: _quantile(each["waited"], share) for name, each in results.items()}
            for results in found
        ],
        bases=tuple(name for name in (base,) if name in names),
        facts={name: _facts([results[name] for results in found]) for name in names},
    )


def _facts(found: Sequence[dict[str, Any]]) -> dict[str, str]:
    def middle(share: float) -> str:
        return f"{median(_quantile(each['waited'], share) for each in found):,.0f} ms"

    return {
        "p50": middle(0.5),
        "p99": middle(0.99),
        "max": middle(1.0),
        "one call": f"{spread(each['call'] for each in found).median * 1000:.1f} ms",
        "in all": f"{median(each['all'] for each in found):.2f} s",
        "lost": f"{sum(each['lost'] for each in found):,}",
    }


def _quantile(seconds: Sequence[float], share: float) -> float:
    """Return a quantile in milliseconds."""
    listed = sorted(seconds)
    return listed[round(share * (len(listed) - 1))] * 1000


def commands_panel(layer: str, found: dict[str, tuple[float, str]]) -> Panel:
    return Panel(
        title=f"Commands that a handshake sends to Redis, {layer}",
        unit="commands",
        rounds=[{name: count for name, (count, _) in found.items()}],
        facts={name: {"which": which} for name, (_, which) in found.items()},
        note="Channels' own consumer makes a channel for each socket, with any middleware.",
    )
