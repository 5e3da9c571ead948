"""Measure how soon the limit on a user's sockets is reached over two nodes that share a Redis.

The limit is one socket. Each user opens one at the first node and, as soon as that is accepted,
another one at the second. The clock runs from the second accept until a client has read the close
frame of the socket that is one too many: with `refuse` the second, with `close_oldest` the first. A
socket that the second node refuses at once, since it knew already, counts as 0 ms. A socket
that is not closed fails the run. No sweep runs meanwhile, so that only messages close sockets.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

from tests.wire.client import Refusal, handshake

from .bench import Bench
from .contestants import BEARER, COLD, Contestant
from .databases import database
from .run import Panel
from .server import Server
from .site import LAYERS, Site, site

__all__ = ["Reached", "reach", "run"]

POLICIES = ("refuse", "close_oldest")
_, *REDIS = LAYERS
DEADLINE = 10.0
PATH = "/"


@dataclass(frozen=True, slots=True)
class Reached:
    """Milliseconds until each user's limit was reached; and how many were refused at once."""

    after: Sequence[float]
    refused: int

    def percentile(self, percent: int) -> float:
        """Return so many hundredths of the way from the soonest to the latest."""
        return quantiles(self.after, n=100, method="inclusive")[percent - 1]


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each policy on each layer of channels-redis: the last server on the last database."""
    users = 20 if bench.quick else 200
    kind = bench.servers[-1]
    with database(bench.databases[-1]) as filled:
        for layer in REDIS:
            rounds: list[dict[str, Reached]] = [{} for _ in range(bench.rounds)]
            for policy in POLICIES:
                who = limited(policy)
                with site(kind, who, layer, nodes=2, filled=filled) as two:
                    for number, found in enumerate(rounds):
                        first = number * users
                        found[policy] = reach(two, who, range(first, first + users), policy)
                bench.say(f"connections: {policy}, {layer}")
            yield _panel(f"{users} users, two nodes, {kind}, {layer}", rounds)


def limited(policy: str) -> Contestant:
    """Return the library with its own consumer, and a limit of one socket for each user."""
    limits = {"CONNECTIONS": {"user": 1, "policy": policy}}
    environ = COLD | {"BENCH_LIMITS": json.dumps(limits)}
    return Contestant(name=policy, application="ours", header=BEARER, environ=environ)


def reach(of_it: Site, who: Contestant, users: Sequence[int], policy: str) -> Reached:
    """Have each of these users exceed the limit."""
    after = [_exceed(of_it.nodes, who, user, policy) for user in users]
    return Reached([each or 0.0 for each in after], sum(each is None for each in after))


def _exceed(nodes: Sequence[Server], who: Contestant, user: int, policy: str) -> float | None:
    """Return the milliseconds until one of two sockets was closed; None if it was refused."""
    header = who.header.format(who.good(user)).strip()
    first = handshake(nodes[0].port, PATH, [header])
    second = handshake(nodes[1].port, PATH, [header])
    began_at = time.perf_counter()
    if isinstance(first, Refusal):
        raise RuntimeError(f"User {user} was refused: {first}")  # noqa: TRY004 - by the server
    with first:
        if isinstance(second, Refusal):
            return None
        with second:
            closing = first if policy == "close_oldest" else second
            frame = closing.read_until_close(DEADLINE)
            took = time.perf_counter() - began_at
    if frame.code != 4429:
        raise RuntimeError(f"User {user} was closed with {frame.code}.")
    return 1000 * took


def _panel(title: str, rounds: Sequence[dict[str, Reached]]) -> Panel:
    facts = {
        policy: {
            "p50": f"{max(each[policy].percentile(50) for each in rounds):.0f} ms",
            "max": f"{max(max(each[policy].after) for each in rounds):.0f} ms",
            "refused at once": str(sum(each[policy].refused for each in rounds)),
        }
        for policy in POLICIES
    }
    return Panel(
        title=title,
        unit="ms, p95",
        rounds=[{name: found.percentile(95) for name, found in each.items()} for each in rounds],
        facts=facts,
        note="The aim is a p95 of 100 ms. News waits for up to 20 ms to be published together.",
    )
