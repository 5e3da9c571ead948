"""The page of the six servers, made from what was measured. Run as a module it prints it."""

import sys
from collections.abc import Iterator

from tests.wire.handshakes.deviations import DEVIATIONS
from tests.wire.handshakes.table import CASES
from tests.wire.memory import CLIENTS
from tests.wire.record import FOLDER, Record
from tests.wire.servers import KINDS

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
application. On every server the application gets one disconnect, with our code, and then nothing.
""",
}

MEMORY = f"""\
## Memory of clients that are not authenticated yet

A server reads a message whole, and inflates it, before the library sees it. So {CLIENTS} clients
without a token, who send 15 KB each that inflate to 15 MB (`permessage-deflate`), make a server
grow as below. Start it with these flags, as `dev.py demo` and `dev.py cluster` do; if your own
messages are longer than 65,536 bytes, with a larger number.
"""

MEMORY_NOTES = """\
- daphne's `runserver` reads the settings `DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE` and
  `DAPHNE_WEBSOCKET_MAX_FRAME_SIZE` instead.
- granian compresses nothing, and has no flag for sizes: it reads frames of up to 16 MiB.
  `--workers-max-rss` restarts a worker that has grown over a limit, which closes all its sockets.
- hypercorn inflates a message before it compares its size with `websocket_max_message_size`, and
  has no setting that switches compression off.
- A proxy can withdraw the client's offer to compress, for every server. In nginx:
  `proxy_set_header Sec-WebSocket-Extensions "";`
"""

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
    yield MEMORY
    yield from _table(MEMORY_HEAD, [_memory(kind, record) for kind in kinds])
    yield MEMORY_NOTES


MEMORY_HEAD = ["server", "flags", "compresses by default", "grows by", "with the flags"]


def _memory(kind: str, record: Record) -> list[str]:
    flags = " ".join(f"`{flag}`" for flag in KINDS[kind].bounds) or "none"
    seen = record.servers[kind]["memory"]
    sizes = [f"{seen[name]} MiB" for name in ("grows by MiB", "with them, grows by MiB")]
    return [kind, flags, seen["compresses"], *sizes]


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
