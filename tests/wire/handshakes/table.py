"""All handshakes of the matrix, by table and name."""

from tests.wire.handshakes.header import HEADER
from tests.wire.handshakes.origin import ORIGIN
from tests.wire.handshakes.precedence import ANONYMOUS, PRECEDENCE
from tests.wire.handshakes.query import QUERY
from tests.wire.handshakes.refusal import REFUSAL
from tests.wire.handshakes.subprotocol import ECHO, SUBPROTOCOL
from tests.wire.handshakes.ticket import TICKET

__all__ = ["CASES"]

CASES = {
    f"{table}: {case.name}": case
    for table, cases in {
        "header": HEADER,
        "subprotocol": SUBPROTOCOL,
        "echo": ECHO,
        "query": QUERY,
        "ticket": TICKET,
        "precedence": PRECEDENCE,
        "anonymous": ANONYMOUS,
        "refusal": REFUSAL,
        "origin": ORIGIN,
    }.items()
    for case in cases
}
