"""Any handshake gives an answer, and whatever credential it had is taken out of it.

An input is a byte whose bits open the locations, and lines: `?` starts a query, `,` a subprotocol,
anything else is a header.
"""

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.extraction import Handshake, extract
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy

__all__ = ["SEEDS", "check"]

SEEDS = (
    b"",
    b"\xff\nauthorization:Bearer abc",
    b"\xff\nauthorization:Token abc\nauthorization:Basic abc",
    b"\xff\norigin:https://example.com\n?token=a%62c&x=1\ncookie:token=abc; x=1",
    b"\xff\norigin:null\nauthorization:Bearer abc",
    b"\x08\norigin:https://example.com\nhost:example.com\ncookie:x=1; token=abc",
    b"\xff\n,token-auth.v1\n,bearer.abc\nsec-websocket-protocol:token-auth.v1, bearer.abc",
    b"\xff\n,base64url.bearer.YWJj\n,base64url.bearer.authorization.k8s.io.YWJj",
    b"\xff\n,base64url.bearer.phx.YWJj\n?token=abc",
    b"\xff\n?token=%00&token=%zz&tok%65n=+",
    b"\xff\n?token=" + b"a" * 70,
)
MAX_TOKEN_BYTES = 64
SCHEMES = frozenset({"bearer", "token"})
ORIGINS = OriginRule(hosts=("example.com",))


def check(data: bytes) -> None:
    first, *lines = data.split(b"\n")
    bits = first[0] if first else 0xFF
    policy = Policy(
        locations=frozenset(each for number, each in enumerate(Location) if bits >> number & 1),
        origins=ORIGINS,
        schemes=SCHEMES,
        max_token_bytes=MAX_TOKEN_BYTES,
    )
    queries = [line[1:] for line in lines if line.startswith(b"?")]
    subprotocols = [line[1:].decode(errors="surrogateescape") for line in lines if line[:1] == b","]
    headers = [
        tuple(line.split(b":", 1)) for line in lines if b":" in line and line[0] not in b"?,"
    ]
    handshake = extract(headers, b"&".join(queries), subprotocols, policy)
    names = {name for name, _ in headers}
    is_of_no_browser = b"authorization" in names and b"cookie" not in names
    if not (ORIGINS.allows(headers) or is_of_no_browser):
        assert (handshake.problem, handshake.is_hostile) == (CloseReason.FORBIDDEN, True)
    assert_consistent(handshake, policy)
    left = extract(handshake.headers, handshake.query_string, handshake.subprotocols, policy)
    assert left.credential is None, "a credential was left"


def assert_consistent(handshake: Handshake, policy: Policy) -> None:
    credential = handshake.credential
    assert not (credential and handshake.problem)
    assert handshake.problem or not handshake.is_hostile
    if credential is None:
        return
    token = credential.secret.reveal()
    assert credential.location in policy.locations
    assert (credential.scheme in SCHEMES) == (credential.location is Location.HEADER)
    assert 0 < len(token.encode()) <= MAX_TOKEN_BYTES
    assert not set(token) & set("\0\t\n ")
