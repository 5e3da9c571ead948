"""The life of a socket over the wire: first message, expiry and reauthentication on six servers."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.wire.client import Refusal, Socket
from tests.wire.closing import eventually, has_ended
from tests.wire.handshakes.case import bearer
from tests.wire.project.lasting import lasting
from tests.wire.servers import Server

OFFER = b"Sec-WebSocket-Protocol: token-auth.v1"
_numbers = count()


@pytest.fixture
def name() -> str:
    return f"life-{next(_numbers)}"


@pytest.fixture
def first_message(server: Server, name: str) -> Iterator[Socket]:
    """A socket that was let in to send its token first."""
    with _open(server, name, "whoami", OFFER) as socket:
        assert _read(socket) == {"type": "auth.required", "timeout": 600}
        yield socket


def test_a_first_message_lets_in(first_message: Socket) -> None:
    first_message.send_json({"type": "auth", "token": lasting("ada", 600)})
    ok = _read(first_message)
    assert (ok["type"], ok["user_id"]) == ("auth.ok", "3")
    assert first_message.read().text == "ada by first_message"


def test_silence_is_closed_with_4408_and_no_application_was_started(
    server: Server, name: str
) -> None:
    with _open(server, name, "whoami", OFFER, policy="impatient") as socket:
        assert _read(socket) == {"type": "auth.required", "timeout": 1}
        assert _read(socket)["code"] == "auth_timeout"
        assert socket.read().code == 4408
    assert server.events(name) == []


def test_client_that_does_not_know_the_protocol_is_closed_with_4401(first_message: Socket) -> None:
    first_message.send('{"command": "Say hello !", "data_string": "hi"}')
    assert _read(first_message)["code"] == "token_missing"
    assert first_message.read().code == 4401


@pytest.mark.asvs("7.3.2")
def test_expiry_closes_with_4419_with_no_traffic_at_all(server: Server, name: str) -> None:
    with _open_briefly(server, name, "echo-async", OFFER) as socket:
        assert [_read(socket)["type"] for _ in range(2)] == ["auth.expiring", "auth.error"]
        assert socket.read().code == 4419
        socket.close(4419)
        events = eventually(lambda: server.events(name), has_ended)
    assert events[-2]["code"] == 4419
    assert len([event for event in events if event["type"] == "websocket.disconnect"]) == 1


def test_expiry_closes_a_socket_that_does_not_speak_our_protocol(server: Server, name: str) -> None:
    with _open_briefly(server, name, "echo-sync") as socket:
        assert socket.read().code == 4419


def test_reauthentication_extends_the_socket_in_place(server: Server, name: str) -> None:
    with _open(server, name, "echo-async", OFFER, bearer(lasting("ada", 300))) as socket:
        assert _read(socket)["type"] == "auth.ok"
        socket.send_json({"type": "auth", "token": lasting("ada", 600, "new")})
        assert _read(socket)["expires_in"] > 500
        socket.send_json({"type": "auth.ping"})
        assert _read(socket) == {"type": "auth.pong"}
        socket.send("still here")
        assert socket.read().text == "still here"


def test_another_user_is_closed_with_4409(server: Server, name: str) -> None:
    with _open(server, name, "echo-async", OFFER, bearer(lasting("ada", 600))) as socket:
        assert _read(socket)["type"] == "auth.ok"
        socket.send_json({"type": "auth", "token": lasting("grace", 600)})
        assert _read(socket)["code"] == "identity_changed"
        assert socket.read().code == 4409


def _open(
    server: Server, name: str, application: str, *headers: bytes, policy: str = "life"
) -> Socket:
    socket = server.open(f"/{policy}/{application}/{name}", headers)
    assert not isinstance(socket, Refusal), socket
    return socket


def _open_briefly(server: Server, name: str, application: str, *headers: bytes) -> Socket:
    """Open a socket, and read `auth.ok` if that is offered.

    Its token expires as soon as it can without being refused: on a slow machine, a handshake with
    a token of one second is.
    """
    for seconds in (1, 2, 4, 8, 16, 32):
        token = bearer(lasting("ada", seconds))
        socket = server.open(f"/life/{application}/{name}", [*headers, token])
        if isinstance(socket, Socket) and (not headers or _read(socket)["type"] == "auth.ok"):
            return socket
    raise AssertionError(socket)


def _read(socket: Socket) -> Any:
    return json.loads(socket.read().text or "")
