"""`ours` with two lines of Python's own `logging` in each handshake, to the file of audit records.

No facts are read, and the text is constant: what an audited handshake takes beyond it, the library
spends. With `BENCH_LINES=later`, the lines are written after the turn of the event loop, as audit
records are: code that runs for many sockets in a row takes less time.
"""

import logging
import os

from channels_token_auth.observability.turns import run_after_turn

from .everything import handler
from .ours import application as ours

__all__ = ["application"]

# As long as an audit record of these handshakes.
TEXT = (
    'connection_id="9f86d081884c7d65" node="server:4242:9f86d081" user_id="1234"'
    ' user_kind="auth.user" token_id="9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b" backend="drf"'
    ' location="header" address="127.0.0.1" origin=null path="/" request_id=null traceparent=null'
)

logger = logging.getLogger("benchmarks.plain.log.lines")
logger.addHandler(handler())
logger.setLevel(logging.INFO)
logger.propagate = False


async def application(scope, receive, send):
    """Write one line as the socket opens, and one when it has closed."""
    write("connection_authenticated")
    await ours(scope, receive, send)
    write("connection_closed")


def write_now(name):
    logger.info("%s %s", name, TEXT)


def write_later(name):
    run_after_turn(write_now, name)


write = write_later if os.environ.get("BENCH_LINES") == "later" else write_now
