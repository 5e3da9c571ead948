"""The same storm, and something is wrong as well.

Each query takes 20 ms more, as towards a far database; or two of ten tokens are bad; or the
database is stopped for 3 s in the middle of it. For an application that raises granian answers 403,
which a client cannot tell from a bad token.
"""

from collections.abc import Iterator

from .bench import Bench
from .databases import database
from .run import Panel
from .storm import Storm, compare

__all__ = ["run"]

QUICK = ("bare", "ours")  # of the tutorial so many queries would outlast the round
KNOWING = ("tutorial", "ours")  # `bare` knows no bad token, and no database
STORMS = (
    Storm(title="Each query takes 20 ms more", contestants=QUICK, delay=0.02),
    Storm(title="Two of ten tokens are bad", contestants=KNOWING, bad_of_ten=2),
    Storm(title="The database is away for 3 s", contestants=KNOWING, outage=3.0),
)


def run(bench: Bench) -> Iterator[Panel]:
    """The first server, each in half as many rounds."""
    with database("postgresql") as filled:
        for storm in STORMS:
            yield from compare(bench, storm, filled, max(1, bench.rounds // 2))
