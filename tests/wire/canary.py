"""Tokens that may show up nowhere, and every way to bring one in."""

import json
from dataclasses import dataclass

from tests.wire.client import Refusal, Socket
from tests.wire.handshakes.case import base64, bearer
from tests.wire.project.people import CANARIES
from tests.wire.servers import Server

__all__ = ["SONGS", "Song", "sing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One handshake with a token that is easy to find again."""

    name: str
    token: str
    headers: tuple[bytes, ...] = ()
    query: str = ""
    policy: str = "default"
    message: str | None = None  # a token to send in an `auth` message
    cuts: tuple[int, ...] = ()  # where that message is cut into frames
    is_compressed: bool = False

    @property
    def forms(self) -> tuple[str, ...]:
        """The token as it may be written down."""
        return (self.token[:40], base64(self.token[:39]))


def sing(server: Server, song: Song) -> str:
    """Shake hands with two applications, one that tells all and one that fails: what was heard."""
    heard = []
    for application in ("scope", "raises"):
        target = f"/{song.policy}/{application}/{song.name.replace(' ', '-')}{song.query}"
        match server.open(target, song.headers):
            case Refusal() as refusal:
                heard.append(repr(refusal))
                break  # without an application, the next one makes no difference
            case Socket() as socket:
                with socket:
                    heard.append(repr(socket.headers))
                    heard += _listen(socket, song)
    return "\n".join(heard)


def _listen(socket: Socket, song: Song) -> list[str]:
    heard = []
    try:
        if song.message:
            _send(socket, song, json.dumps({"type": "auth", "token": song.message}))
            while not heard or not (heard[-1].closes or b"auth.ok" in heard[-1].payload):
                heard.append(socket.read())
        socket.send("sing")
        while not heard or not heard[-1].closes:
            heard.append(socket.read(timeout=0.3))
    except (EOFError, OSError):
        pass  # it has said all that it will, or hung up
    return [repr(frame) for frame in heard]


def _send(socket: Socket, song: Song, text: str) -> None:
    if song.cuts:
        is_agreed = "sec-websocket-extensions" in {name.lower() for name in socket.headers}
        is_compressed = song.is_compressed and is_agreed  # not every server compresses
        socket.send_fragments(text, song.cuts, is_compressed=is_compressed)
    else:
        socket.send(text)


def _protocols(*entries: str) -> bytes:
    return b"Sec-WebSocket-Protocol: " + ", ".join(entries).encode()


def _bad(number: int) -> str:
    return f"0ff5{number:04}" + "c" * 32


DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
CUTS = {
    "cut in the name of the token": (21,),
    "cut before the token": (26,),
    "cut in the token": (30,),
    "cut at its end": (68,),
    "cut into three": (12, 21),
    "compressed and cut": (10,),
}
"""The position at which `{"type": "auth", "token": "…"}` is cut."""
ORIGIN = b"Origin: http://127.0.0.1"
GOOD = CANARIES

SONGS = [
    Song(name="good header", token=GOOD["header"], headers=(bearer(GOOD["header"]),)),
    Song(
        name="good subprotocol",
        token=GOOD["subprotocol"],
        headers=(_protocols("token-auth.v1", f"bearer.{GOOD['subprotocol']}"),),
    ),
    Song(
        name="good base64",
        token=GOOD["base64"],
        headers=(_protocols("token-auth.v1", f"base64url.bearer.{base64(GOOD['base64'])}"),),
    ),
    Song(
        name="good query",
        token=GOOD["query"],
        query=f"?a=b&token={GOOD['query']}&c=d",
        policy="query",
    ),
    Song(
        name="good cookie",
        token=GOOD["cookie"],
        headers=(ORIGIN, b"Cookie: a=b; token=" + GOOD["cookie"].encode()),
        policy="cookie",
    ),
    Song(
        name="good header inside AuthMiddlewareStack",
        token=GOOD["inside"],
        # Not the last header: the last one stays in a local of Channels' CookieMiddleware.
        headers=(bearer(GOOD["inside"]), b"User-Agent: canary"),
        policy="inside-auth",
    ),
    Song(
        name="good header outside AuthMiddlewareStack",
        token=GOOD["outside"],
        headers=(bearer(GOOD["outside"]),),
        policy="outside-auth",
    ),
    Song(name="good first message", token=GOOD["first"], policy="messages", message=GOOD["first"]),
    Song(name="bad first message", token=_bad(18), policy="messages", message=_bad(18)),
    Song(
        name="bad reauthentication",
        token=_bad(19),
        headers=(bearer(GOOD["header"]), _protocols("token-auth.v1")),
        message=_bad(19),
    ),
    *(
        Song(
            name=f"first message {name}",
            token=_bad(20 + number),
            policy="messages",
            message=_bad(20 + number),
            cuts=cuts,
            is_compressed=name.startswith("compressed"),
            headers=(DEFLATE,) if name.startswith("compressed") else (),
        )
        for number, (name, cuts) in enumerate(CUTS.items())
    ),
    Song(
        name="reauthentication in fragments",
        token=_bad(29),
        headers=(bearer(GOOD["header"]), _protocols("token-auth.v1")),
        message=_bad(29),
        cuts=(21,),
    ),
    Song(name="bad header", token=_bad(1), headers=(bearer(_bad(1)),)),
    Song(name="bad header of a browser", token=_bad(2), headers=(ORIGIN, bearer(_bad(2)))),
    Song(name="header twice", token=_bad(3), headers=(bearer(_bad(3)), bearer(_bad(3)))),
    Song(name="oversized header", token=_bad(4) * 120, headers=(bearer(_bad(4) * 120),)),
    Song(name="subprotocol without bearer", token=_bad(20), headers=(_protocols(_bad(20)),)),
    Song(
        name="subprotocol without bearer of a browser",
        token=_bad(21),
        headers=(ORIGIN, _protocols("token-auth.v1", _bad(21))),
    ),
    Song(name="bad subprotocol alone", token=_bad(5), headers=(_protocols(f"bearer.{_bad(5)}"),)),
    Song(
        name="bad subprotocol of a browser",
        token=_bad(6),
        headers=(ORIGIN, _protocols(f"bearer.{_bad(6)}", "chat.v2")),
    ),
    Song(
        name="bad base64",
        token=_bad(7),
        headers=(ORIGIN, _protocols("token-auth.v1", f"base64url.bearer.{base64(_bad(7))}")),
    ),
    Song(name="bad query", token=_bad(8), query=f"?token={_bad(8)}", policy="query"),
    Song(
        name="query twice", token=_bad(9), query=f"?token={_bad(9)}&token={_bad(9)}", policy="query"
    ),
    Song(name="query where it is not read", token=_bad(10), query=f"?token={_bad(10)}"),
    Song(name="bad ticket", token=_bad(15), query=f"?a=b&ticket={_bad(15)}"),
    Song(name="ticket twice", token=_bad(16), query=f"?ticket={_bad(16)}&ticket={_bad(16)}"),
    Song(
        name="ticket where it is not read",
        token=_bad(17),
        query=f"?ticket={_bad(17)}",
        policy="query",
    ),
    Song(
        name="bad cookie",
        token=_bad(11),
        headers=(ORIGIN, b"Cookie: token=" + _bad(11).encode()),
        policy="cookie",
    ),
    Song(
        name="foreign Origin",
        token=_bad(12),
        headers=(b"Origin: https://evil.test", bearer(_bad(12))),
    ),
    Song(
        name="beside Basic",
        token=_bad(13),
        headers=(b"Authorization: Basic YTpi", bearer(_bad(13))),
    ),
    Song(name="anonymous and bad", token=_bad(14), headers=(bearer(_bad(14)),), policy="open"),
]
