"""Have the library close a socket, under every application and every kind of peer."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.wire.client import Refusal, Socket
from tests.wire.handshakes.case import bearer
from tests.wire.project.people import ALICE
from tests.wire.servers import Server

__all__ = ["PEERS", "SCENARIOS", "BulkClose", "close_from_outside", "eventually", "has_ended"]

DEADLINE = 60.0
APPLICATIONS = ("echo-async", "echo-sync", "slow-sync", "busy", "bare", "late")
PEERS = ("answers", "keeps sending", "never answers", "never reads")
_numbers = itertools.count()
SCENARIOS = [
    *((application, peer) for application in APPLICATIONS for peer in PEERS),
    ("flood", "never reads"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkClose:
    """The end of one socket. `seconds`: from the timer to the close frame at the client."""

    code: int | None
    seconds: float | None
    events: list[dict[str, Any]]


def close_from_outside(server: Server, application: str, peer: str) -> BulkClose:
    name = f"{application}-{next(_numbers)}"
    socket = server.open(f"/default/{application}/{name}", [bearer(ALICE)])
    assert not isinstance(socket, Refusal), socket
    with socket:
        _engage(socket, application)
        with _sending(socket, whether=peer == "keeps sending"):
            closed_at = server.close(name, "token_revoked")
            code, seconds = None, None
            if peer != "never reads":
                code = socket.read_until_close().code
                seconds = time.monotonic() - closed_at
            if peer == "answers":
                socket.close(code or 1000)
            events = eventually(lambda: server.events(name), has_ended)
    return BulkClose(code=code, seconds=seconds, events=events)


def eventually(ask: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    """The first answer that is right, else the last before the deadline."""
    deadline = time.monotonic() + DEADLINE
    while not is_right(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def _engage(socket: Socket, application: str) -> None:
    """Bring the application to where the close shall find it."""
    match application:
        case "slow-sync":
            socket.send("go")
            assert socket.read().text == "working"
        case "busy":
            assert socket.read().text == "tick"
        case "flood":
            socket.send("go")
            time.sleep(0.3)  # until every buffer on the way is full
        case _:
            socket.send("hello")
            assert socket.read().text == "hello"


@contextmanager
def _sending(socket: Socket, *, whether: bool) -> Iterator[None]:
    """A frame every few milliseconds, whatever the server says, where `whether`."""
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.005):
            try:
                socket.send("still here")
            except OSError:
                return  # the server has ended the connection, as it may

    thread = threading.Thread(target=talk)
    if whether:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if whether:
            thread.join()


def has_ended(events: list[dict[str, Any]]) -> bool:
    return bool(events) and events[-1]["type"] in ("returned", "raised")
