"""Handshakes with two credentials: which one counts; and with none where none is needed."""

from tests.wire.answers import PROTOCOL, Opened, Refused
from tests.wire.handshakes.case import (
    FORBIDDEN,
    INVALID,
    MALFORMED,
    MISSING,
    Case,
    alice,
    bearer,
    bob,
)
from tests.wire.project.people import ALICE, BOB, UNKNOWN

__all__ = ["ANONYMOUS", "PRECEDENCE"]

ORIGIN = b"Origin: https://www.example.com"

PRECEDENCE = [
    Case(
        name="header and equal subprotocol",
        headers=(bearer(ALICE),),
        offers=(PROTOCOL, f"bearer.{ALICE}"),
        answer=alice("header", PROTOCOL),
        queries=1,
    ),
    Case(
        name="header and different subprotocol",
        headers=(bearer(ALICE),),
        offers=(PROTOCOL, f"bearer.{BOB}"),
        answer=Refused(slug="malformed", subprotocol=PROTOCOL),
    ),
    Case(
        name="good header and blank subprotocol",
        headers=(bearer(ALICE),),
        offers=(PROTOCOL, "bearer."),
        answer=Refused(slug="malformed", subprotocol=PROTOCOL),
    ),
    Case(
        name="unclaimed scheme and subprotocol",
        headers=(b"Authorization: Basic YTpi",),
        offers=(PROTOCOL, f"bearer.{ALICE}"),
        answer=alice("subprotocol", PROTOCOL),
        queries=1,
    ),
    Case(
        name="header and equal query",
        policy="query",
        headers=(bearer(ALICE),),
        query=b"token=" + ALICE.encode(),
        answer=alice("header"),
        queries=1,
    ),
    Case(
        name="header and different query",
        policy="query",
        headers=(bearer(ALICE),),
        query=b"token=" + BOB.encode(),
        answer=MALFORMED,
    ),
    Case(
        name="cookie of a browser",
        policy="cookie",
        headers=(ORIGIN, b"Cookie: a=b; token=" + ALICE.encode()),
        answer=alice("cookie"),
        queries=1,
    ),
    Case(
        name="cookie without Origin",
        without_origin=True,
        policy="cookie",
        headers=(b"Cookie: token=" + ALICE.encode(),),
        answer=FORBIDDEN,
    ),
    Case(
        name="two cookies of the name",
        policy="cookie",
        headers=(ORIGIN, b"Cookie: token=%s; token=%s" % (ALICE.encode(), BOB.encode())),
        answer=MALFORMED,
        queries=2,
    ),
    Case(
        name="two cookies of the name, one of them old",
        policy="cookie",
        headers=(ORIGIN, b"Cookie: token=%s; token=%s" % (UNKNOWN.encode(), ALICE.encode())),
        answer=alice("cookie"),
        queries=2,
    ),
    Case(
        name="two equal cookies",
        policy="cookie",
        headers=(ORIGIN, b"Cookie: token=%s; token=%s" % (ALICE.encode(), ALICE.encode())),
        answer=alice("cookie"),
        queries=1,
    ),
    Case(
        name="cookie where it is not asked for",
        headers=(ORIGIN, b"Cookie: token=" + ALICE.encode()),
        answer=MISSING,
    ),
    Case(
        name="header before cookie",
        policy="cookie",
        headers=(ORIGIN, bearer(BOB), b"Cookie: token=" + ALICE.encode()),
        answer=bob("header"),
        queries=1,
    ),
    Case(
        name="bad header never falls back to a good cookie",
        policy="cookie",
        headers=(ORIGIN, bearer(UNKNOWN), b"Cookie: token=" + ALICE.encode()),
        answer=INVALID,
        queries=1,
    ),
    Case(
        name="blank header never falls back to a good cookie",
        policy="cookie",
        headers=(ORIGIN, b"Authorization: Bearer", b"Cookie: token=" + ALICE.encode()),
        answer=MALFORMED,
    ),
]

ANONYMOUS = [
    Case(name="none", policy="open", answer=Opened(frame="AnonymousUser by None")),
    Case(
        name="none, on our protocol",
        policy="open",
        offers=(PROTOCOL,),
        answer=Opened(frame="AnonymousUser by None", subprotocol=PROTOCOL),
    ),
    Case(name="good", policy="open", headers=(bearer(ALICE),), answer=alice("header"), queries=1),
    Case(name="wrong", policy="open", headers=(bearer(UNKNOWN),), answer=INVALID, queries=1),
    Case(name="blank", policy="open", headers=(b"Authorization: Bearer",), answer=MALFORMED),
]
