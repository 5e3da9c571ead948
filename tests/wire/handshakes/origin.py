"""Handshakes from pages of other sites: refused before accept, before any credential and query."""

from tests.wire.answers import PROTOCOL, Opened, Refused
from tests.wire.handshakes.case import FORBIDDEN, INVALID, Case, alice, bearer
from tests.wire.project.people import ALICE, UNKNOWN

__all__ = ["ORIGIN"]


def _origin(policy: str, value: bytes, answer: Opened | Refused) -> Case:
    return Case(
        name=f"{policy} {value.decode(errors='backslashreplace')!r}",
        policy=policy,
        headers=(b"Origin: " + value,),
        offers=(PROTOCOL, f"bearer.{ALICE}"),
        answer=answer,
        queries=1 if isinstance(answer, Opened) else 0,
    )


PASSES = alice("subprotocol", PROTOCOL)
EVIL = b"Origin: https://evil.test"

ORIGIN = [
    # ALLOWED_HOSTS has 127.0.0.1, localhost and .example.com: any scheme and port of these.
    *(
        _origin("default", value, PASSES)
        for value in [
            b"http://127.0.0.1:8000",
            b"http://localhost",
            b"https://example.com",
            b"https://www.example.com:8443",
            b"http://a.b.example.com",
            b"HTTPS://WWW.EXAMPLE.COM",
        ]
    ),
    *(
        _origin("default", value, FORBIDDEN)
        for value in [
            b"https://evil.test",
            b"https://example.com.evil.test",
            b"https://127.0.0.1.evil.test",
            b"https://notexample.com",
            b"https://evil.test/example.com",
            b"https://evil.test?example.com",
            b"https://evil.test#example.com",
            b"https://www.example.com@evil.test",
            b"https://evil.test@www.example.com",
            b"https://www.example.com https://evil.test",
            b"https://www.example.com, https://evil.test",
            b"https://www.example.com.",
            b"https://www.example.com/",
            b"https://www.example.com:",
            b"https://www.example.com:port",
            b"https://www.ex\xe1mple.com",
            b"//www.example.com",
            b"www.example.com",
            b"null",
            b"file://",
            b"*",
            b"",
        ]
    ),
    *(
        _origin("listed", value, PASSES)
        for value in [
            b"https://app.example.com",
            b"https://app.example.com:443",
            b"https://a.b.example.org",
            b"null",
            b"file://",
        ]
    ),
    *(
        _origin("listed", value, FORBIDDEN)
        for value in [
            b"http://app.example.com",
            b"https://app.example.com:8443",
            b"https://www.example.com",
            b"https://example.org",
            b"http://www.example.org",
            b"https://app.example.com.evil.test",
            b"http://127.0.0.1:8000",
        ]
    ),
    Case(
        name="two of them",
        headers=(b"Origin: https://www.example.com", EVIL),
        offers=(PROTOCOL, f"bearer.{ALICE}"),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, of a native client",
        headers=(EVIL, bearer(ALICE)),
        answer=alice("header"),
        queries=1,
    ),
    Case(
        name="foreign, of a native client, wrong",
        headers=(EVIL, bearer(UNKNOWN)),
        answer=INVALID,
        queries=1,
    ),
    Case(
        name="foreign, a header and a cookie",
        headers=(EVIL, bearer(ALICE), b"Cookie: a=b"),
        answer=FORBIDDEN,
    ),
    Case(name="foreign, and Basic", headers=(EVIL, b"Authorization: Basic YTpi"), answer=FORBIDDEN),
    Case(
        name="foreign, and no token",
        headers=(EVIL,),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, accept-then-close asked for",
        policy="close",
        headers=(EVIL,),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, anonymous allowed",
        policy="open",
        headers=(EVIL,),
        answer=FORBIDDEN,
    ),
]
