"""All handshakes by table and name, and those that servers may pass on in different ways."""

from tests.wire.handshakes.header import HEADER
from tests.wire.handshakes.origin import ORIGIN
from tests.wire.handshakes.precedence import ANONYMOUS, PRECEDENCE
from tests.wire.handshakes.query import QUERY
from tests.wire.handshakes.refusal import REFUSAL
from tests.wire.handshakes.subprotocol import ECHO, SUBPROTOCOL
from tests.wire.handshakes.ticket import TICKET

__all__ = ["CASES", "ON_EACH_SERVER"]

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

# Each way in which a credential travels, and each kind of answer: at least one row of both.
ON_EACH_SERVER = frozenset(
    {
        "header: no token",
        "header: Bearer",
        "header: twice and equal",
        "header: wrong",
        "header: 4097 bytes",
        "header: inactive",
        "subprotocol: offered with the token",
        "subprotocol: token alone",
        "subprotocol: dialect base64url.bearer.",
        "subprotocol: in two header lines",
        "subprotocol: only ours",
        "subprotocol: two entries",
        "subprotocol: wrong, beside a protocol of the application",
        "subprotocol: 5 KB",
        "echo: what the consumer chose",
        "echo: nothing",
        "query: token",
        "query: token among others, its name encoded",
        "query: non-UTF-8",
        "query: 5 KB",
        "ticket: unknown, on our protocol",
        "precedence: header and equal subprotocol",
        "precedence: cookie of a browser",
        "precedence: two cookies of the name",
        "anonymous: none, on our protocol",
        "refusal: close, wrong",
        "refusal: deny, wrong",
        "origin: foreign, and no token",
        "origin: foreign, of a native client",
    }
)
assert CASES.keys() >= ON_EACH_SERVER
