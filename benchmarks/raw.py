"""A WebSocket client for benchmarks that cannot use the generator in C.

It sends any bytes, from any address in 127.0.0.0/8.
"""

import asyncio
import struct
from dataclasses import dataclass

__all__ = ["Connection", "connect", "frame", "request"]

TEXT, CLOSE = 0x81, 0x88
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection whose request was answered. `status` and `head` are those of the answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int
    head: str

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read(self) -> tuple[int, bytes]:
        """Return the first byte of the next frame, and its payload."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first, await self.reader.readexactly(size)

    async def close_code(self) -> int:
        """Return the code of the server's close, after skipping other frames."""
        while True:
            first, payload = await self.read()
            if first == CLOSE:
                return struct.unpack_from("!H", payload)[0] if payload else 1005

    def drop(self) -> None:
        self.writer.transport.abort()


def frame(payload: bytes, first: int = TEXT) -> bytes:
    """Return a frame, masked with zeros."""
    if len(payload) < 126:
        size = bytes([0x80 | len(payload)])
    elif len(payload) < 2**16:
        size = b"\xfe" + struct.pack("!H", len(payload))
    else:
        size = b"\xff" + struct.pack("!Q", len(payload))
    return bytes([first]) + size + bytes(4) + payload


async def connect(port: int, source: str, target: str = "/", *headers: str) -> Connection:
    """Send an opening handshake, and return the answered connection."""
    own = [
        *("Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"),
    ]
    return await request(port, source, f"GET {target}", *own, *headers)


async def request(port: int, source: str, line: str, *headers: str) -> Connection:
    """Send a request without a body, and return once the head of its answer has arrived."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        lines = [f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except BaseException:
        writer.transport.abort()
        raise
    return Connection(reader, writer, int(head.split(" ", 2)[1]), head)
