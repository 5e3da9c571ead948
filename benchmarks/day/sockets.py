"""A client's socket: its opening handshake, and its frames."""

import asyncio
import base64
import struct
from dataclasses import dataclass

__all__ = ["RefusedError", "Socket", "fetch", "open_socket"]

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
PATIENCE = 15.0
"""Seconds after which an attempt is given up."""

HEAD = "Host: 127.0.0.1\r\n{headers}\r\n"
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
)


class RefusedError(Exception):
    """The handshake was refused with an HTTP status; 0: the server did not answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Socket:
    """An open socket. `code`: what the server closed it with, once it has."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    code: int | None = None
    is_dropped: bool = False

    def send(self, text: str) -> None:
        """Send a text frame, if the socket is still open."""
        self._write(TEXT, text.encode())

    async def read(self) -> str | None:
        """Return the next text; None once the socket has ended and `code` is set."""
        try:
            while True:
                opcode, payload = await self._frame()
                if opcode == CLOSE:
                    self.code = struct.unpack_from("!H", payload)[0] if payload else 1005
                    self._write(CLOSE, payload[:2])
                    return None
                if opcode == PING:
                    self._write(PONG, payload)
                elif opcode == TEXT:
                    return payload.decode()
        except (OSError, EOFError):
            self.code = 1006
            return None

    def drop(self) -> None:
        """Leave without a close frame: `read` then returns None."""
        self.is_dropped = True
        self.end()

    def end(self) -> None:
        """Free the connection."""
        self.writer.transport.abort()

    async def _frame(self) -> tuple[int, bytes]:
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        return first & 0xF, await self.reader.readexactly(size)

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
        # Masked with zeros, which leaves the payload as it is (RFC 6455 §5.3).
        self.writer.write(bytes([0x80 | opcode]) + length + bytes(4) + payload)


async def open_socket(port: int, target: str, headers: str) -> Socket:
    """Return an open socket. Raises `RefusedError`."""
    reader, writer, status = await _request(port, f"GET {target}", UPGRADE + headers)
    if status != 101:
        writer.transport.abort()
        raise RefusedError(status)
    return Socket(reader, writer)


async def fetch(port: int, target: str, headers: str) -> str:
    """Return the JSON object in the answer to a POST without a body. Raises `RefusedError`."""
    headers += "Content-Length: 0\r\nConnection: close\r\n"
    reader, writer, status = await _request(port, f"POST {target}", headers)
    try:
        if status != 200:
            raise RefusedError(status)
        async with asyncio.timeout(PATIENCE):
            body = (await reader.read()).decode()
            return body[body.index("{") : body.rindex("}") + 1]  # it may come in a chunk
    except (OSError, TimeoutError):
        raise RefusedError(0) from None
    finally:
        writer.transport.abort()


async def _request(
    port: int, line: str, headers: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
    writer = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**13)
            writer.write(f"{line} HTTP/1.1\r\n{HEAD.format(headers=headers)}".encode())
            head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, EOFError, TimeoutError):
        if writer:
            writer.transport.abort()
        raise RefusedError(0) from None
    return reader, writer, int(head.split(b" ", 2)[1])
