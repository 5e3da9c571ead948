"""Handshakes with a token in the query, where a route asked for that."""

from tests.wire.handshakes.case import INVALID, MALFORMED, MISSING, OVERSIZED, Case, alice
from tests.wire.project.people import ALICE, BOB, UNKNOWN

__all__ = ["QUERY"]

QUERY = [
    Case(
        name="token",
        query=b"token=" + ALICE.encode(),
        answer=alice("query"),
        queries=1,
        policy="query",
    ),
    Case(
        name="token among others, its name encoded",
        query=b"a=1&to%%6ben=%s&b=2" % ALICE.encode(),
        answer=alice("query"),
        queries=1,
        policy="query",
    ),
    Case(name="not read unless asked for", query=b"token=" + ALICE.encode(), answer=MISSING),
    *(
        Case(name=name, query=query, answer=MALFORMED, policy="query")
        for name, query in {
            "blank": b"token=",
            "name alone": b"token",
            "doubled, equal": b"token=%s&token=%s" % (ALICE.encode(), ALICE.encode()),
            "doubled, different": b"token=%s&token=%s" % (ALICE.encode(), BOB.encode()),
            "doubled, one blank": b"token=%s&token=" % ALICE.encode(),
            "NUL": b"token=%00",
            "NUL within": b"token=%s%%00" % ALICE.encode(),
            "non-UTF-8": b"token=%ff%fe",
            "half a percent": b"token=%",
            "no hexadecimal": b"token=%zz%zz",
            "space": b"token=a+b",
            "line feed": b"token=a%0ab",
        }.items()
    ),
    Case(
        name="wrong",
        query=b"token=" + UNKNOWN.encode(),
        answer=INVALID,
        queries=1,
        policy="query",
    ),
    Case(name="5 KB", query=b"token=" + b"f" * 5120, answer=OVERSIZED, policy="query"),
]
