"""The page of the six servers, made from what was measured. Run as a module it prints it."""

import sys
from collections.abc import Iterator

from tests.wire.handshakes.deviations import DEVIATIONS
from tests.wire.handshakes.table import CASES
from tests.wire.record import FOLDER, Record

__all__ = ["PAGE", "page"]

PAGE = FOLDER / "servers.md"

TITLE = """\
# Six servers

<!-- Made by `pytest tests/wire --write-matrix`: what the servers answered, not what we hope. -->

Every handshake and every close below was sent over a raw socket to a real process of each server.
A test compares each run with this page.
"""

GROUPS = {
    "behaviours": """\
## What they do by themselves

What the library has to live with, without it in the way where that matters.
""",
    "long tokens": """\
## Long tokens

*library*: the handshake reaches the library, which refuses what is over `MAX_TOKEN_BYTES`. Anything
else is the server's own answer: an HTTP status, a reset connection, or no answer at all. A token of
at most 4 KB is safe everywhere.
""",
    "closes": """\
## Closing a socket

Milliseconds from the timer that closes a socket until the client holds the close frame, the slowest
of three peers (one answers the close, one keeps sending, one never answers), under each kind of
application. On every server the application is told once, with our code, and nothing after it.
""",
}

DEVIATION = """\
## Handshakes that do not get the library's answer

All the others of {total} do, on every server, from a browser and from any other client.
"""


def page(record: Record) -> str:
    return "\n".join([*_lines(record), DEVIATION.format(total=len(CASES)), *_deviations()])


def _lines(record: Record) -> Iterator[str]:
    kinds = list(record.servers)
    yield TITLE
    yield from _table(
        ["server", "measured with"], [[k, record.servers[k]["versions"]] for k in kinds]
    )
    for group, text in GROUPS.items():
        yield text
        behaviours = record.servers[kinds[0]][group]
        rows = [[b, *(str(record.servers[k][group][b]) for k in kinds)] for b in behaviours]
        yield from _table(["", *kinds], rows)


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    for cells in [head, ["---"] * len(head), *rows]:
        yield f"| {' | '.join(cells)} |"
    yield ""


def _deviations() -> Iterator[str]:
    for kind, deviations in DEVIATIONS.items():
        for name, deviation in deviations.items():
            yield f"- {kind}, `{name}`: {deviation.why}"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page(Record()))
