"""Clients by the thousand that do as spec/PROTOCOL.md says: who is sent away backs off and returns.

Each notes how long it was without a socket, and how long its back-off allowed it to be.
"""

import asyncio
import random
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["PATIENCE", "Absence", "Crowd"]

LONGEST_WINDOW = 60.0
PATIENCE = 15.0
"""Seconds after which an attempt is given up."""

STEADY = 10.0
"""Seconds after which a socket that ends is the first one again."""

CLOSE, PING, PONG = 0x8, 0x9, 0xA
REQUEST = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: Token {token}\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A time without a socket, in seconds. `window`: what the waits in it could have been at most;
    `waited`: what they were, by chance.
    """

    seconds: float
    window: float
    waited: float


@dataclass(slots=True)
class Crowd:
    """One client for each token, all at one port."""

    port: int
    tokens: Sequence[str]
    absences: list[Absence] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    """How often a socket ended with which code, or an attempt with which status."""
    present: int = 0

    async def run(self) -> None:
        """Be there until cancelled."""
        async with asyncio.TaskGroup() as clients:
            for number, token in enumerate(self.tokens):
                clients.create_task(self._live(token, number / 400))

    async def all_present(self) -> None:
        """Return when nobody is without a socket."""
        while self.present < len(self.tokens):  # noqa: ASYNC110 - looked at by one, rarely
            await asyncio.sleep(0.02)

    async def _live(self, token: str, delay: float) -> None:
        """One client."""
        await asyncio.sleep(delay)
        lost: float | None = None
        window = waited = 0.0
        waits = 0
        while True:
            streams = await self._open(token)
            if streams:
                came = time.monotonic()
                if lost is not None:
                    absence = Absence(seconds=came - lost, window=window, waited=waited)
                    self.absences.append(absence)
                await self._stay(*streams)
                lost, window, waited = time.monotonic(), 0.0, 0.0
                waits = 0 if lost - came > STEADY else waits
            waits += 1
            limit = min(LONGEST_WINDOW, 2.0**waits)
            pause = random.uniform(0, limit)
            window, waited = window + limit, waited + pause
            await asyncio.sleep(pause)

    async def _open(self, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A socket; None where there is none to be had."""
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=4096)
                writer.write(REQUEST.format(port=self.port, token=token).encode())
                status = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
        except (OSError, EOFError, TimeoutError) as error:
            status = type(error).__name__
        if status == "101":
            return reader, writer
        self._count(status)
        if writer:
            writer.close()
        return None

    async def _stay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.present += 1
        try:
            self._count(await _until_closed(reader, writer))
        finally:
            self.present -= 1
            writer.close()

    def _count(self, code: str) -> None:
        self.codes[code] = self.codes.get(code, 0) + 1


async def _until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """The code it ends with; 1006 where it ends without a word."""
    try:
        while True:
            first, size = await reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
            payload = await reader.readexactly(size)
            if first & 0xF == CLOSE:
                return str(int.from_bytes(payload[:2] or b"\x03\xed"))
            if first & 0xF == PING:
                writer.write(bytes([0x80 | PONG, 0x80 | size, 0, 0, 0, 0]) + payload)
    except (OSError, EOFError):
        return "1006"
