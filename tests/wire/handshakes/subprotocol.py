"""Handshakes with a token in the offer of subprotocols, and what is echoed."""

from tests.wire.answers import PROTOCOL, Opened, Refused
from tests.wire.handshakes.case import INVALID, OVERSIZED, Case, alice, base64
from tests.wire.project.people import ALICE, BOB, UNKNOWN

__all__ = ["ECHO", "SUBPROTOCOL"]

BARE = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
"""A token without a prefix: no credential, and never echoed."""

SUBPROTOCOL = [
    Case(
        name="offered with the token",
        offers=(PROTOCOL, f"bearer.{ALICE}"),
        answer=alice("subprotocol", PROTOCOL),
        queries=1,
    ),
    Case(
        name="token first",
        offers=(f"bearer.{ALICE}", PROTOCOL),
        answer=alice("subprotocol", PROTOCOL),
        queries=1,
    ),
    Case(name="token alone", offers=(f"bearer.{ALICE}",), answer=alice("subprotocol"), queries=1),
    *(
        Case(
            name=f"dialect {prefix}",
            offers=(PROTOCOL, prefix + base64(ALICE)),
            answer=alice("subprotocol", PROTOCOL),
            queries=1,
        )
        for prefix in (
            "base64url.bearer.",
            "base64url.bearer.authorization.k8s.io.",
            "base64url.bearer.phx.",
        )
    ),
    Case(
        name="in two header lines",
        headers=(
            b"Sec-WebSocket-Protocol: " + PROTOCOL.encode(),
            b"Sec-WebSocket-Protocol: bearer." + ALICE.encode(),
        ),
        offers=(),
        answer=alice("subprotocol", PROTOCOL),
        queries=1,
    ),
    Case(
        name="bytes over 127",
        headers=(b"Sec-WebSocket-Protocol: token-auth.v1, bearer.\xff",),
        answer=Refused(slug="malformed", subprotocol=PROTOCOL, visible=True),
    ),
    Case(
        name="only a protocol of the application",
        offers=("chat.v2",),
        answer=Refused(slug="token_missing", subprotocol="chat.v2"),
    ),
    Case(
        name="a token by itself",
        offers=("access_token", BARE),
        answer=Refused(slug="token_missing", subprotocol="access_token"),
    ),
    Case(
        name="only ours",
        offers=(PROTOCOL,),
        answer=Refused(slug="token_missing", subprotocol=PROTOCOL),
    ),
    *(
        Case(
            name=name,
            offers=(PROTOCOL, *entries),
            answer=Refused(slug="malformed", subprotocol=PROTOCOL),
        )
        for name, entries in {
            "blank": ("bearer.",),
            "blank base64": ("base64url.bearer.",),
            "impossible base64": ("base64url.bearer.abcde",),
            "no base64": ("base64url.bearer.~~~~",),
            "base64 with spare bits": (f"base64url.bearer.{base64(b'x')[:-1]}B",),
            "NUL in base64": (f"base64url.bearer.{base64(b'abc' + bytes(1))}",),
            "non-UTF-8 in base64": (f"base64url.bearer.{base64(b'abc' + bytes([255]))}",),
            "two entries": (f"bearer.{ALICE}", f"bearer.{BOB}"),
            "two equal entries": (f"bearer.{ALICE}", f"bearer.{ALICE}"),
            "two forms of one token": (f"bearer.{ALICE}", f"base64url.bearer.{base64(ALICE)}"),
        }.items()
    ),
    Case(
        name="wrong",
        offers=(PROTOCOL, f"bearer.{UNKNOWN}"),
        answer=Refused(slug="token_invalid", subprotocol=PROTOCOL),
        queries=1,
    ),
    Case(
        name="wrong, beside a protocol of the application",
        offers=(f"bearer.{UNKNOWN}", "chat.v2", "chat.v1"),
        answer=Refused(slug="token_invalid", subprotocol="chat.v2"),
        queries=1,
    ),
    Case(
        name="wrong, and nothing to echo", offers=(f"bearer.{UNKNOWN}",), answer=INVALID, queries=1
    ),
    Case(name="5 KB", offers=(PROTOCOL, "bearer." + "f" * 5120), answer=OVERSIZED),
]

ECHO = [
    Case(
        name=name,
        application="subprotocol",
        offers=(*offers, f"bearer.{ALICE}"),
        answer=Opened(frame=repr([*offers]), subprotocol=echo),
        queries=1,
    )
    for name, offers, echo in [
        ("what the consumer chose", ("chat.v1", "chat.v2"), "chat.v2"),
        ("what the consumer chose, not ours", (PROTOCOL, "chat.v2"), "chat.v2"),
        ("ours, where the consumer chose nothing", (PROTOCOL, "chat.v1"), PROTOCOL),
        ("nothing", ("chat.v1",), None),
    ]
]
