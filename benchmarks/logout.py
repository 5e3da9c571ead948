"""Measure the time from a logout at the identity provider to the close, and that of `revoke_user`.

The clock runs from before the provider's POST to one of two nodes until the last client has read
its close frame. `revoke-user` calls the function in a process that is not a node. Both revoke the
JWTs of one user, on the same nodes and in the same rounds. The tokens are signed with HS256: a
signature by RSA costs 0.05 ms more.
"""

from collections.abc import Iterator

from .bench import Bench
from .databases import database
from .revocation import REDIS, Case, measure, panel
from .run import Panel

__all__ = ["NAMES", "run"]

NAMES = ("revoke-user", "logout")
SOCKETS = 500
"""The number of sockets on each of two nodes."""


def run(bench: Bench) -> Iterator[Panel]:
    """Measure each channel layer that nodes can share."""
    kind = bench.servers[-1]
    with database(bench.databases[-1]) as filled:
        for layer in REDIS:
            case = Case(layer=layer, nodes=2, sockets=50 if bench.quick else SOCKETS)
            found = measure(bench, kind, case, filled=filled, rounds=bench.rounds, names=NAMES)
            yield panel(kind, case, found, base="revoke-user")
