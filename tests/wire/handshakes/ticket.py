"""Handshakes with a ticket that nobody issued; for the others, see `test_wire_tickets`."""

from tests.wire.answers import PROTOCOL, Refused
from tests.wire.handshakes.case import INVALID, MALFORMED, MISSING, OVERSIZED, Case, alice, bearer
from tests.wire.project.people import ALICE, UNKNOWN

__all__ = ["TICKET"]

TICKET = [
    Case(name="unknown", query=b"ticket=" + UNKNOWN.encode(), answer=INVALID),
    Case(
        name="unknown, on our protocol",
        query=b"a=1&ticket=" + UNKNOWN.encode(),
        offers=(PROTOCOL,),
        answer=Refused(slug="token_invalid", subprotocol=PROTOCOL),
    ),
    Case(name="a token is none", query=b"ticket=" + ALICE.encode(), answer=INVALID),
    Case(
        name="not read where it is off",
        query=b"ticket=" + UNKNOWN.encode(),
        policy="query",
        answer=MISSING,
    ),
    *(
        Case(name=name, query=query, answer=MALFORMED)
        for name, query in {
            "blank": b"ticket=",
            "doubled, equal": b"ticket=abc&ticket=abc",
            "NUL": b"ticket=%00",
            "non-UTF-8": b"ticket=%ff%fe",
        }.items()
    ),
    Case(
        name="beside a header that differs",
        headers=(bearer(ALICE),),
        query=b"ticket=" + UNKNOWN.encode(),
        answer=MALFORMED,
    ),
    Case(
        name="beside an equal header, which counts",
        headers=(bearer(ALICE),),
        query=b"ticket=" + ALICE.encode(),
        answer=alice("header"),
        queries=1,
    ),
    Case(name="5 KB", query=b"ticket=" + b"f" * 5120, answer=OVERSIZED),
]
