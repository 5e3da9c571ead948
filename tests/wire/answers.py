"""Expected answers to a handshake: by the contract, and with a server's deviations."""

import json
from dataclasses import dataclass

from tests.wire.client import Refusal, Socket
from tests.wire.servers import Server

__all__ = ["ACCEPTED", "RESET", "Answer", "Direct", "Opened", "Refused", "observe"]

PROTOCOL = "token-auth.v1"
ACCEPTED = 101
RESET = 0  # the server hung up without an answer

# slug: close code, HTTP status, the `error` of the Bearer challenge
TABLE: dict[str, tuple[int, int, str | None]] = {
    "malformed": (4400, 400, "invalid_request"),
    "token_missing": (4401, 401, None),
    "token_invalid": (4401, 401, "invalid_token"),
    "forbidden": (4403, 403, "insufficient_scope"),
    "token_revoked": (4410, 401, "invalid_token"),
    "user_inactive": (4423, 401, "invalid_token"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that a client learns from one handshake: HTTP first, then the first frame."""

    status: int
    subprotocol: str | None = None
    challenge: str | None = None
    close: int | None = None
    slug: str | None = None  # the reason of a close, the code in a body
    frame: str | None = None
    told: str | None = None  # the `auth.*` message that came first, and its code


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The socket is open, and the application sends `frame` first."""

    frame: str
    subprotocol: str | None = None

    def at(self, kind: str, *, browser: bool) -> Answer:
        told = "auth.ok" if self.subprotocol == PROTOCOL else None
        return Answer(status=ACCEPTED, subprotocol=self.subprotocol, frame=self.frame, told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The table's row of `slug`; `visible`: None follows `auto`, else whether it is accepted."""

    slug: str
    subprotocol: str | None = None
    visible: bool | None = None

    def at(self, kind: str, *, browser: bool) -> Answer:
        code, status, error = TABLE[self.slug]
        if browser if self.visible is None else self.visible:
            # daphne sends no reason; that is why the code alone carries the meaning.
            slug = None if kind == "daphne" else self.slug
            told = f"auth.error {self.slug}" if self.subprotocol == PROTOCOL else None
            return Answer(
                status=ACCEPTED, subprotocol=self.subprotocol, close=code, slug=slug, told=told
            )
        if kind == "daphne":
            return Answer(status=403)  # it has no `websocket.http.response`
        challenge = f'Bearer error="{error}"' if error else "Bearer"
        challenge += ", Token" if status == 401 else ""  # the site has DRF tokens
        return Answer(status=status, challenge=challenge, slug=self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """The server answers by itself: the library is never asked."""

    status: int

    def at(self, kind: str, *, browser: bool) -> Answer:
        return Answer(status=self.status)


def observe(server: Server, target: bytes, headers: list[bytes], **options: float) -> Answer:
    """Shake hands, look at the first frame, and leave."""
    try:
        opened = server.open(target, headers, **options)
    except ConnectionError:
        return Answer(status=RESET)
    match opened:
        case Refusal() as refusal:
            body = refusal.headers.get("content-type") == "application/json" and refusal.body
            return Answer(
                status=refusal.status,
                challenge=refusal.headers.get("www-authenticate"),
                slug=json.loads(body)["code"] if body else None,
            )
        case Socket() as socket:
            with socket:
                return _first_frame(socket)


def _first_frame(socket: Socket) -> Answer:
    frame, told = socket.read(), None
    if not frame.closes and frame.text.startswith('{"type":"auth.'):
        message = json.loads(frame.text)
        told = " ".join(filter(None, (message["type"], message.get("code"))))
        frame = socket.read()
    if frame.closes:
        close, slug, text = frame.code, frame.reason or None, None
        socket.close(frame.code or 1000)
    else:
        close, slug, text = None, None, frame.text
        socket.finish()
    return Answer(
        status=ACCEPTED,
        subprotocol=socket.subprotocol,
        close=close,
        slug=slug,
        frame=text,
        told=told,
    )
