"""Measure as `revocation` does: 10,000 sockets of one user, and 200 tokens revoked one by one.

With the layer in memory, 10,000 sockets are measured without the kick: that layer looks at all its
channels for each message, and the server did not answer for a minute.
"""

from collections.abc import Iterator
from dataclasses import replace

from .bench import Bench
from .databases import database
from .revocation import MEMORY, REDIS, WHERE, Case, run_cases
from .run import Panel

__all__ = ["run"]

MANY = 10_000
LARGE = [
    Case(layer=layer, nodes=nodes, sockets=MANY // nodes, rivals=layer != MEMORY)
    for layer, nodes in WHERE
]
ONE_BY_ONE = [Case(layer=layer, nodes=2, sockets=200, tokens=200) for layer in REDIS]


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the tokens one by one; then the sockets of one user, in half as many rounds."""
    large, tokens = LARGE, ONE_BY_ONE
    if bench.quick:
        large = [replace(case, sockets=200) for case in LARGE[:1]]
        tokens = [replace(case, sockets=50, tokens=50) for case in ONE_BY_ONE[:1]]
    with database(bench.databases[-1]) as filled:
        yield from run_cases(bench, tokens, filled=filled, rounds=bench.rounds)
        yield from run_cases(bench, large, filled=filled, rounds=max(1, bench.rounds // 2))
