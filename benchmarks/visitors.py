"""Open sockets as good users, send messages, and print how long each took: a program.

Each user has an address and a token of their own. Some are connected the whole time; others come,
send one message, get its answer and leave.
"""

import asyncio
import json
import sys

from . import people
from .raw import Connection, connect, frame

__all__ = ["visit"]

SOURCES = [f"127.2.0.{number}" for number in range(1, 101)]
CONNECTED = 20
DEADLINE = 10.0
MESSAGE = frame(b'{"hello":"world"}')


async def visit(port: int, *, rate: float, seconds: float) -> dict[str, list[float]]:
    """Return the seconds of each handshake with its first answer, and of each later answer.

    `refused`: the status of each user who was not admitted; it must be empty. `late`: how much too
    late this program itself began each handshake, since it shares a CPU with the attackers.
    """
    loop = asyncio.get_running_loop()
    found: dict[str, list[float]] = {"handshakes": [], "messages": [], "refused": [], "late": []}
    tasks = [
        loop.create_task(_stay(port, number, found, loop.time() + seconds))
        for number in range(CONNECTED)
    ]
    began = loop.time()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        found["late"].append(loop.time() - began - number / rate)
        tasks.append(loop.create_task(_come(port, CONNECTED + number, found)))
    await asyncio.gather(*tasks)
    return found


async def _come(port: int, number: int, found: dict[str, list[float]]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(DEADLINE):
            connection = await _open(port, number, found)
            if connection:
                await _say(connection)
                connection.drop()
    except (OSError, EOFError, TimeoutError):
        found["refused"].append(0)
        return
    if connection:
        found["handshakes"].append(loop.time() - began)


async def _stay(port: int, number: int, found: dict[str, list[float]], until: float) -> None:
    loop = asyncio.get_running_loop()
    connection = await _open(port, number, found)
    while connection and loop.time() < until:
        began = loop.time()
        await _say(connection)
        found["messages"].append(loop.time() - began)
        await asyncio.sleep(0.25)
    if connection:
        connection.drop()


async def _open(port: int, number: int, found: dict[str, list[float]]) -> Connection | None:
    source = SOURCES[number % len(SOURCES)]
    bearer = f"Authorization: Bearer {people.key(number % (people.PEOPLE - 1))}"
    connection = await connect(port, source, "/", bearer)
    if connection.status == 101:
        return connection
    connection.drop()
    found["refused"].append(connection.status)
    return None


async def _say(connection: Connection) -> None:
    await connection.send(MESSAGE)
    await connection.read()


if __name__ == "__main__":
    port, rate, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(visit(int(port), rate=float(rate), seconds=float(seconds)))))
