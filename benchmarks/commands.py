"""Count the commands that Redis receives during many handshakes, by its own counters."""

import socket
import time

from tests.services import Redis

from .contestants import Contestant
from .generator import generating
from .saturation import AT_ONCE
from .site import Site

__all__ = ["commands_of_a_handshake"]

SETTLING = 1.0  # seconds until a node subscribes to the layer, after its first socket
OUR_OWN = ("config|resetstat", "info", "quit")


def commands_of_a_handshake(
    contestant: Contestant, of_it: Site, *, handshakes: int = 1000
) -> tuple[float, str]:
    """Return the commands of one handshake, without those of an idle server; and all, in words."""
    (server,), redis = of_it.nodes, of_it.redis
    with generating(server.port, contestant, clients=AT_ONCE, cycles=AT_ONCE) as load:
        load.wait_until_settled()
    time.sleep(SETTLING)
    _ask(redis, "CONFIG RESETSTAT")
    with generating(server.port, contestant, clients=AT_ONCE, cycles=handshakes) as load:
        report = load.wait_until_settled()
    time.sleep(SETTLING)  # they leave their groups
    busy = _counted(redis)
    _ask(redis, "CONFIG RESETSTAT")
    time.sleep(report["seconds"] + SETTLING)
    quiet = _counted(redis)
    if report["handshakes"]["count"] < handshakes:
        raise RuntimeError(f"{contestant.name} went wrong: {report}")
    words = ", ".join(f"{count:,} {name}" for name, count in busy.items()) or "none"
    more = sum(busy.values()) - sum(quiet.values())
    return more / handshakes, f"{words}; in quiet {sum(quiet.values())}"


def _counted(redis: Redis) -> dict[str, int]:
    """Return the calls of each command since the counters were reset."""
    lines = (line for line in _ask(redis, "INFO commandstats").splitlines() if ":calls=" in line)
    pairs = (line.removeprefix("cmdstat_").split(":calls=") for line in lines)
    calls = {name: int(rest.partition(",")[0]) for name, rest in pairs}
    return {name: count for name, count in calls.items() if name not in OUR_OWN}


def _ask(redis: Redis, command: str) -> str:
    """Return the answer to one command: a few kilobytes, which Redis sends at once."""
    with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as connection:
        connection.sendall(f"{command}\r\nQUIT\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
