"""`ours` with two lines of Python's own `logging` in each handshake, written as audit records are.

That is the least which two records can cost: no facts are read, the text is constant, and so it has
no quotes to escape. What an audited handshake takes beyond it, the library spends.
"""

import logging

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
    logger.info("%s %s", "connection_authenticated", TEXT)
    await ours(scope, receive, send)
    logger.info("%s %s", "connection_closed", TEXT)
