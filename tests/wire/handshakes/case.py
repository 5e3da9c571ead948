"""One opening handshake and its one right answer, and the words to say it in."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from tests.wire.answers import PROTOCOL, Opened, Refused

__all__ = [
    "FORBIDDEN",
    "INVALID",
    "MALFORMED",
    "MISSING",
    "OVERSIZED",
    "Case",
    "alice",
    "base64",
    "bearer",
    "bob",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One handshake. `queries`: how many it may cost, exactly."""

    name: str
    answer: Opened | Refused
    queries: int = 0
    headers: tuple[bytes, ...] = ()
    offers: tuple[str, ...] = ()
    query: bytes = b""
    policy: str = "default"
    application: str = "whoami"
    without_origin: bool = False

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients that can send it: a browser always has one Origin."""
        if self.names_origin:
            return ("browser",)
        return ("client",) if self.without_origin else ("client", "browser")

    @property
    def names_origin(self) -> bool:
        return any(header.startswith(b"Origin:") for header in self.headers)

    def request(self, socket_name: str, client: str) -> tuple[bytes, list[bytes]]:
        """The request target and the header lines."""
        target = f"/{self.policy}/{self.application}/{socket_name}".encode()
        headers = [*self.headers]
        if self.offers:
            headers.append(b"Sec-WebSocket-Protocol: " + ", ".join(self.offers).encode())
        if client == "browser" and not self.names_origin:
            headers.append(b"Origin: http://127.0.0.1:8000")
        return b"?".join([target, *([self.query] if self.query else [])]), headers

    def is_browser(self, client: str) -> bool:
        """Return whether the library must treat the client as a browser, by Origin or offer."""
        return client == "browser" or any(map(_is_of_a_browser, self.offers))


def _is_of_a_browser(entry: str) -> bool:
    return entry == PROTOCOL or entry.startswith(("bearer.", "base64url.bearer."))


def bearer(token: str | bytes) -> bytes:
    return b"Authorization: Bearer " + (token.encode() if isinstance(token, str) else token)


def base64(value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def alice(location: str, subprotocol: str | None = None) -> Opened:
    return Opened(frame=f"alice by {location}", subprotocol=subprotocol)


def bob(location: str) -> Opened:
    return Opened(frame=f"bob by {location}")


MISSING = Refused(slug="token_missing")
MALFORMED = Refused(slug="malformed")
INVALID = Refused(slug="token_invalid")
OVERSIZED = Refused(slug="malformed", visible=False)
FORBIDDEN = Refused(slug="forbidden", visible=False)
