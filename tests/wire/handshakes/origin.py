"""Handshakes from pages of other sites: refused before accept, before any credential and query."""

from tests.wire.answers import Opened, Refused
from tests.wire.handshakes.case import FORBIDDEN, Case, alice, bearer
from tests.wire.project.people import ALICE

__all__ = ["ORIGIN"]


def _origin(policy: str, value: bytes, answer: Opened | Refused) -> Case:
    return Case(
        name=f"{policy} {value.decode(errors='backslashreplace')!r}",
        policy=policy,
        headers=(b"Origin: " + value, bearer(ALICE)),
        answer=answer,
        queries=1 if isinstance(answer, Opened) else 0,
    )


PASSES = alice("header")

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
        for value in [b"https://app.example.com", b"https://app.example.com:443", b"null"]
    ),
    *(
        _origin("listed", value, FORBIDDEN)
        for value in [
            b"http://app.example.com",
            b"https://app.example.com:8443",
            b"https://www.example.com",
            b"https://app.example.com.evil.test",
            b"http://127.0.0.1:8000",
        ]
    ),
    Case(
        name="two of them",
        headers=(b"Origin: https://www.example.com", b"Origin: https://evil.test", bearer(ALICE)),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, and no token",
        headers=(b"Origin: https://evil.test",),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, accept-then-close asked for",
        policy="close",
        headers=(b"Origin: https://evil.test",),
        answer=FORBIDDEN,
    ),
    Case(
        name="foreign, anonymous allowed",
        policy="open",
        headers=(b"Origin: https://evil.test",),
        answer=FORBIDDEN,
    ),
]
