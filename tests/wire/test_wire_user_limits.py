"""Users who go over a limit, on six servers: too many frames, bytes and sockets, or silence."""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.wire.client import Refusal, Socket
from tests.wire.closing import eventually
from tests.wire.handshakes.case import bearer
from tests.wire.project.lasting import lasting
from tests.wire.servers import Server

OFFER = b"Sec-WebSocket-Protocol: token-auth.v1"
PING = {"type": "auth.ping"}
IDLE = 1.0
"""Seconds: the limit of the route `limited-idle`."""

_numbers = count()


@pytest.fixture
def user() -> str:
    """A user whom no other test has: their rates are those of the whole process."""
    return "u" * (100 + next(_numbers))  # the length is the key


@pytest.fixture
def sockets() -> Iterator[list[Socket]]:
    opened: list[Socket] = []
    yield opened
    for socket in opened:
        socket.drop()


def open_socket(server: Server, limit: str, user: str, application: str = "echo-async") -> Any:
    path = f"/limited-{limit}/{application}/limits-{next(_numbers)}"
    return server.open(path, [OFFER, bearer(lasting(user, 600, str(next(_numbers))))])


def ends(socket: Socket) -> tuple[dict[str, Any], int | None]:
    """Return the last `auth.error`, and the close code."""
    last: dict[str, Any] = {}
    while not (frame := socket.read()).closes:
        if b'"auth.error"' in frame.payload:
            last = json.loads(frame.text)
    return last, frame.code


@pytest.mark.parametrize("application", ["echo-async", "echo-sync", "bare", "subscribed"])
@pytest.mark.asvs("2.3.2")
def test_frames_over_the_rate_close_over_all_sockets_of_the_user(
    server: Server, user: str, sockets: list[Socket], application: str
) -> None:
    sockets += [open_socket(server, "messages", user, application) for _ in range(2)]
    for number in range(5):
        sockets[number % 2].send_json(PING)
        sockets[number % 2].send(f"frame {number}")
    for socket, last in zip(sockets, ("frame 4", "frame 3"), strict=True):
        while socket.read().text != last:
            pass
    sockets[1].send("one too many")
    error, code = ends(sockets[1])
    assert (error["code"], code) == ("rate_limited", 4429)
    assert 0 < error["retry_after"] <= 60 * 60


@pytest.mark.parametrize("payload", ["ü" * 300, bytes(600)])
def test_bytes_over_the_rate_close(
    server: Server, user: str, sockets: list[Socket], payload: str | bytes
) -> None:
    sockets.append(open_socket(server, "bytes", user))
    for _ in range(2):
        sockets[0].send(payload)
    assert ends(sockets[0])[1] == 4429


@pytest.mark.parametrize("application", ["echo-async", "echo-sync", "bare"])
def test_silent_client_is_closed_and_one_that_pings_stays(
    server: Server, user: str, sockets: list[Socket], application: str
) -> None:
    def silent_one_ends_first() -> bool:
        """Return False after a pause in which the other one may have been closed as well."""
        pinged = time.monotonic()
        silent, alive = (open_socket(server, "idle", user, application) for _ in range(2))
        sockets.extend((silent, alive))
        assert [each.read().json["type"] for each in (silent, alive)] == ["auth.ok"] * 2
        while silent.is_silent(0.05):
            now = time.monotonic()
            alive.send_json(PING)
            answer = alive.read()
            if time.monotonic() - pinged >= IDLE:
                return False
            assert answer.json == {"type": "auth.pong"}
            pinged = now
        for socket in (silent, alive):
            error, code = ends(socket)
            assert (error["code"], code) == ("connection_limit", 4429)
        return True

    assert eventually(silent_one_ends_first, bool)


def test_socket_over_the_limit_is_refused_until_one_is_closed(
    server: Server, user: str, sockets: list[Socket]
) -> None:
    sockets += [open_socket(server, "refuse", user) for _ in range(3)]
    refused = open_socket(server, "refuse", user)
    assert isinstance(refused, Socket)  # it sees codes: it offered our subprotocol
    sockets.append(refused)
    error, code = ends(refused)
    assert (error["code"], code) == ("connection_limit", 4429)
    assert error["retry_after"] > 0
    sockets[0].drop()

    def is_admitted() -> bool:
        sockets.append(open_socket(server, "refuse", user))
        return "auth.ok" in sockets[-1].read().text

    assert eventually(is_admitted, bool)


def test_oldest_socket_makes_way(server: Server, user: str, sockets: list[Socket]) -> None:
    sockets += [open_socket(server, "oldest", user) for _ in range(4)]
    error, code = ends(sockets[0])
    assert (error["code"], code) == ("connection_limit", 4429)
    assert not any(isinstance(each, Refusal) for each in sockets)
    for socket in sockets[1:]:
        socket.send("hello")
        while socket.read().text != "hello":
            pass
