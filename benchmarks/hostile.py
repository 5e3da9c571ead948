"""Attack a server for some seconds with hostile clients, and print the answers: a program.

Each kind comes from all addresses in turn. It connects to 127.0.0.1 only. Arguments: the port,
attacks a second, seconds, and the kinds of client, if not all.
"""

import asyncio
import json
import secrets
import sys
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from . import people
from .raw import TEXT, Connection, connect, frame, request

__all__ = ["KINDS", "attack"]

SOURCES = [f"127.1.0.{number}" for number in range(1, 201)]
OFFER = "Sec-WebSocket-Protocol: token-auth.v1"
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
DEADLINE = 12.0  # AUTH_TIMEOUT, and some time for the answer
MEGABYTE = b"x" * 2**20
RSV1 = 0x40


def _bomb() -> bytes:
    """Return 15 MB in 15 KB (RFC 7692 §7.2.1: without the last four bytes of the flush)."""
    packer = zlib.compressobj(9, wbits=-15)
    return (packer.compress(bytes(15 * 2**20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


BOMB = _bomb()


async def _bad_token(port: int, source: str) -> str:
    bearer = f"Authorization: Bearer {people.bad_key(secrets.randbelow(10**9))}"
    return _status(await connect(port, source, "/", bearer))


async def _bad_ticket(port: int, source: str) -> str:
    return _status(await connect(port, source, f"/?ticket={secrets.token_urlsafe(32)}"))


async def _foreign_page(port: int, source: str) -> str:
    return _status(await connect(port, source, "/", "Origin: https://evil.example", OFFER))


async def _tickets(port: int, source: str) -> str:
    bearer = f"Authorization: Bearer {people.key(people.PEOPLE - 1)}"
    return _status(await request(port, source, "POST /auth/ticket/", bearer, "Content-Length: 0"))


async def _silent(port: int, source: str) -> str:
    return await _code(await connect(port, source, "/", OFFER))


async def _megabyte(port: int, source: str) -> str:
    return await _code(await connect(port, source, "/", OFFER), frame(MEGABYTE))


async def _compressed(port: int, source: str) -> str:
    connection = await connect(port, source, "/", OFFER, DEFLATE)
    return await _code(connection, frame(BOMB, TEXT | RSV1))


KINDS: dict[str, Callable[[int, str], Awaitable[str]]] = {
    "bad token": _bad_token,
    "bad ticket": _bad_ticket,
    "foreign page": _foreign_page,
    "tickets": _tickets,
    "silent": _silent,
    "1 MB": _megabyte,
    "bomb": _compressed,
}


def _status(connection: Connection) -> str:
    connection.drop()
    return str(connection.status)


async def _code(connection: Connection, data: bytes = b"") -> str:
    try:
        if connection.status != 101:
            return str(connection.status)
        await connection.send(data)
        return str(await connection.close_code())
    finally:
        connection.drop()


async def attack(
    port: int, *, rate: float, seconds: float, names: Sequence[str] = tuple(KINDS)
) -> dict[str, dict[str, int]]:
    """Begin `rate` attacks a second without waiting for earlier ones. Return the answers."""
    loop = asyncio.get_running_loop()
    told: dict[str, Counter[str]] = {kind: Counter() for kind in names}
    began, tasks = loop.time(), set()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        # All kinds from all addresses: their numbers have no common divisor.
        kind, source = names[number % len(names)], SOURCES[number % len(SOURCES)]
        task = loop.create_task(_one(kind, port, source, told[kind]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=DEADLINE)
    return {kind: dict(each) for kind, each in told.items()}


async def _one(kind: str, port: int, source: str, told: "Counter[str]") -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            told[await KINDS[kind](port, source)] += 1
    except TimeoutError:  # before the next clause: it is an OSError, too
        told["nothing"] += 1
    except (OSError, EOFError):  # some servers hang up on a frame that is too long
        told["hung up"] += 1


if __name__ == "__main__":
    port, rate, seconds, *only = sys.argv[1:]
    options = {"rate": float(rate), "seconds": float(seconds), "names": only or tuple(KINDS)}
    print(json.dumps(asyncio.run(attack(int(port), **options))))
