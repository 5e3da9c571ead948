"""Measure the same storm with a fault: a far database, bad tokens, or a database that stops.

Each query takes 20 ms more, as with a distant database; or two of ten tokens are bad; or the
database is stopped for 3 s during the storm. If an application raises, granian answers 403, which a
client cannot distinguish from a bad token.
"""

from collections.abc import Iterator

from .bench import Bench
from .databases import database
from .run import Panel
from .storm import Storm, compare

__all__ = ["run"]

QUICK = ("bare", "ours")  # the tutorial makes so many queries that they would outlast the round
KNOWING = ("tutorial", "ours")  # `bare` accepts every token, and has no database
STORMS = (
    Storm(title="Each query takes 20 ms more", contestants=QUICK, delay=0.02),
    Storm(title="Two of ten tokens are bad", contestants=KNOWING, bad_of_ten=2),
    Storm(title="The database is stopped for 3 s", contestants=KNOWING, outage=3.0),
)


def run(bench: Bench) -> Iterator[Panel]:
    """Measure the first server, each variant in half as many rounds."""
    with database("postgresql") as filled:
        for storm in STORMS:
            yield from compare(bench, storm, filled, max(1, bench.rounds // 2))
