"""A WebSocket client that sends exactly the bytes it is given and does nothing by itself.

It answers no ping and no close: whether the peer answers, keeps talking or is dead is the test's
decision. It needs nothing but the standard library, so no library can tidy a request up.
"""

import json
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from tests.wire.stream import Stream

__all__ = ["TEXT", "Frame", "Refusal", "Socket", "handshake"]

CLOSE, TEXT, BINARY = 0x8, 0x1, 0x2
DEADLINE = 60.0  # of one read; long, since it only ends what is broken
KEY, ACCEPT = b"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    opcode: int
    payload: bytes

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def code(self) -> int | None:
        """The close code, if this is a close frame that carries one."""
        return struct.unpack_from("!H", self.payload)[0] if self.closes and self.payload else None

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()

    @property
    def closes(self) -> bool:
        return self.opcode == CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An HTTP answer to an opening handshake."""

    status: int
    headers: dict[str, str]
    body: bytes


class Socket:
    """An open WebSocket. Nothing is read or answered unless a test asks for it."""

    def __init__(self, stream: Stream, headers: dict[str, str]) -> None:
        self._stream = stream
        self.headers = headers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    @property
    def subprotocol(self) -> str | None:
        return self.headers.get("sec-websocket-protocol")

    def read(self, timeout: float = DEADLINE) -> Frame:
        """The next frame; EOFError where the stream ends without one."""
        deadline = time.monotonic() + timeout
        first, size = self._stream.read(2, deadline)
        if size == 126:
            (size,) = struct.unpack("!H", self._stream.read(2, deadline))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._stream.read(8, deadline))
        return Frame(opcode=first & 0x0F, payload=self._stream.read(size, deadline))

    def read_until_close(self, timeout: float = DEADLINE) -> Frame:
        """The close frame, whatever comes before it."""
        deadline = time.monotonic() + timeout
        while not (frame := self.read(deadline - time.monotonic())).closes:
            pass
        return frame

    def is_silent(self, seconds: float = 0.2) -> bool:
        """True if nothing at all comes for that long, not even the end of the stream."""
        try:
            self._stream.peek(time.monotonic() + seconds)
        except TimeoutError:
            return True
        return False

    def send(
        self, payload: str | bytes, opcode: int | None = None, *, is_compressed: bool = False
    ) -> None:
        """Send one frame; `is_compressed`: the payload is, and RSV1 says so (RFC 7692 §6)."""
        data = payload.encode() if isinstance(payload, str) else payload
        kind = opcode or (TEXT if isinstance(payload, str) else BINARY)
        if len(data) < 126:
            size = bytes([0x80 | len(data)])
        elif len(data) < 1 << 16:
            size = struct.pack("!BH", 0x80 | 126, len(data))
        else:
            size = struct.pack("!BQ", 0x80 | 127, len(data))
        # The mask is four zero bytes: legal, and the payload stays as it is.
        first = 0x80 | kind | (0x40 if is_compressed else 0)
        self._stream.send(bytes([first]) + size + bytes(4) + data)

    def send_fragments(self, text: str, cuts: Sequence[int], *, is_compressed: bool) -> None:
        """Send a text in several frames (RFC 6455 §5.4), cut at these places."""
        data = text.encode()
        if is_compressed:  # as a whole, without the empty block at its end (RFC 7692 §7.2.1)
            deflate = zlib.compressobj(wbits=-15)
            data = (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
        ends = [min(cut, len(data)) for cut in cuts] + [len(data)]
        start, kind = 0, TEXT | (0x40 if is_compressed else 0)
        for number, end in enumerate(ends):
            fin = 0x80 if number == len(ends) - 1 else 0
            part = data[start:end]
            self._stream.send(bytes([fin | kind, 0x80 | len(part)]) + bytes(4) + part)
            start, kind = end, 0

    def send_json(self, value: object) -> None:
        self.send(json.dumps(value))

    def close(self, code: int = 1000) -> None:
        """Send a close frame: the first one, or the answer to the server's."""
        with suppress(ConnectionError):  # a server that closes need not wait for the answer
            self.send(struct.pack("!H", code), CLOSE)

    def finish(self, code: int = 1000) -> Frame:
        """Close properly: send the close, await the answer, drop the connection."""
        with self:
            self.close(code)
            return self.read_until_close()

    def drop(self) -> None:
        """End the TCP connection without a word."""
        self._stream.close()


def handshake(
    port: int,
    target: bytes | str,
    headers: Iterable[bytes | str] = (),
    *,
    timeout: float = DEADLINE,
) -> Socket | Refusal:
    """Send one opening handshake with these header lines added, byte for byte.

    Raises ConnectionError where the server hangs up without an answer, TimeoutError where it hangs.
    """
    deadline = time.monotonic() + timeout
    stream = Stream(port, timeout)
    try:
        stream.send(_request(port, target, headers))
        head = stream.read_until(b"\r\n\r\n", deadline).decode("latin-1").split("\r\n")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        status = int(head[0].split(" ", 2)[1])
        if status == 101:
            assert fields["sec-websocket-accept"] == ACCEPT
            return Socket(stream, fields)
        refusal = Refusal(status=status, headers=fields, body=stream.read_body(fields, deadline))
    except EOFError as error:
        stream.close()
        raise ConnectionResetError from error
    except BaseException:
        stream.close()
        raise
    stream.close()
    return refusal


def _request(port: int, target: bytes | str, headers: Iterable[bytes | str]) -> bytes:
    added = [_bytes(header) for header in headers]
    named = {header.partition(b":")[0].strip().lower() for header in added}
    host = [] if b"host" in named else [b"Host: 127.0.0.1:%d" % port]
    lines = [
        b"GET %s HTTP/1.1" % _bytes(target),
        *host,
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + KEY,
        *added,
    ]
    return b"\r\n".join([*lines, b"", b""])


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
