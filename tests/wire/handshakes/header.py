"""Handshakes with a token, or what ought to be one, in the header."""

from tests.wire.answers import Refused
from tests.wire.handshakes.case import INVALID, MALFORMED, MISSING, OVERSIZED, Case, alice, bearer
from tests.wire.project.people import ALICE, BOB, INACTIVE, UNKNOWN

__all__ = ["HEADER"]

HEADER = [
    Case(name="no token", answer=MISSING),
    Case(name="Bearer", headers=(bearer(ALICE),), answer=alice("header"), queries=1),
    *(
        Case(
            name=f"scheme {scheme.decode()}",
            headers=(b"Authorization: %s %s" % (scheme, ALICE.encode()),),
            answer=alice("header"),
            queries=1,
        )
        for scheme in (b"Token", b"bearer", b"TOKEN", b"beARer")
    ),
    Case(
        name="three spaces after the scheme",
        headers=(b"Authorization: Bearer   " + ALICE.encode(),),
        answer=alice("header"),
        queries=1,
    ),
    Case(name="scheme alone", headers=(b"Authorization: Bearer",), answer=MALFORMED),
    Case(
        name="comma instead of a space",
        headers=(b"Authorization: Bearer," + ALICE.encode(),),
        answer=MALFORMED,
    ),
    Case(name="blank", headers=(b"Authorization: Bearer  ",), answer=MALFORMED),
    Case(name="unknown scheme", headers=(b"Authorization: Basic YTpi",), answer=MISSING),
    Case(
        name="token without a scheme",
        headers=(b"Authorization: " + ALICE.encode(),),
        answer=MISSING,
    ),
    Case(name="space within", headers=(bearer("a b"),), answer=MALFORMED),
    Case(name="twice and equal", headers=(bearer(ALICE), bearer(ALICE)), answer=MALFORMED),
    Case(name="twice and different", headers=(bearer(ALICE), bearer(BOB)), answer=MALFORMED),
    Case(
        name="Basic of a proxy beside Bearer",
        headers=(b"Authorization: Basic YTpi", bearer(ALICE)),
        answer=alice("header"),
        queries=1,
    ),
    Case(name="non-UTF-8", headers=(bearer(b"\xff\xfe"),), answer=MALFORMED),
    Case(name="Latin-1", headers=(bearer("é".encode("latin-1")),), answer=MALFORMED),
    Case(name="UTF-8", headers=(bearer("é"),), answer=INVALID),
    Case(name="wrong", headers=(bearer(UNKNOWN),), answer=INVALID, queries=1),
    Case(name="too long for the column", headers=(bearer("f" * 41),), answer=INVALID),
    Case(name="4096 bytes", headers=(bearer("f" * 4096),), answer=INVALID),
    Case(name="4097 bytes", headers=(bearer("f" * 4097),), answer=OVERSIZED),
    Case(name="5 KB", headers=(bearer("f" * 5120),), answer=OVERSIZED),
    Case(
        name="inactive",
        headers=(bearer(INACTIVE),),
        answer=Refused(slug="user_inactive"),
        queries=1,
    ),
]
