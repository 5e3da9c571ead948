"""Every frame of a client reaches the application, also one that arrives as the library acts."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, takewhile
from typing import Any

import pytest

from tests.wire.client import Refusal, Socket
from tests.wire.closing import eventually, has_ended
from tests.wire.handshakes.case import bearer
from tests.wire.project.lasting import lasting
from tests.wire.servers import Server

OFFER = b"Sec-WebSocket-Protocol: token-auth.v1"
SOCKETS = 60
REAUTHENTICATIONS = 9
FRAMES = 20  # the first of them arrive while a token is verified
MANY = 10_000
"""Frames in which none may be lost. granian lost one in five, so the gate sends fewer."""
_names = count()


def test_frame_in_response_to_auth_ok_is_delivered(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        echoed = list(pool.map(_greet, [server] * SOCKETS))
    assert echoed.count("hello") == SOCKETS


@pytest.mark.measured
@pytest.mark.slow  # it opens 10,000 sockets
def test_none_of_many_frames_in_response_to_auth_ok_is_lost(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        echoed = Counter(pool.map(_greet, [server] * MANY))
    assert echoed == {"hello": MANY}


def _greet(server: Server) -> str:
    """Return what comes back of a frame that is sent as soon as `auth.ok` is there."""
    with _open(server, "echo-async", OFFER) as socket:
        assert socket.read().json["type"] == "auth.required"
        socket.send_json({"type": "auth", "token": lasting("ada", 600)})
        assert socket.read().json["type"] == "auth.ok"
        socket.send("hello")
        try:
            return socket.read().text
        except (TimeoutError, EOFError):
            return "lost"


@pytest.mark.parametrize("application", ["subscribed", "echo-async"])
def test_stream_during_reauthentications_is_delivered(server: Server, application: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        streams = list(pool.map(_stream, [server] * 4, [application] * 4))
    sent = [str(number) for number in range(REAUTHENTICATIONS * FRAMES)]
    assert streams == [sent] * 4


@pytest.mark.measured
@pytest.mark.slow  # it sends 10,000 frames for each application
@pytest.mark.parametrize("application", ["subscribed", "echo-async"])
def test_none_of_many_frames_during_reauthentications_is_lost(
    server: Server, application: str
) -> None:
    in_each = REAUTHENTICATIONS * FRAMES
    number = -(-MANY // in_each)
    with ThreadPoolExecutor(4) as pool:
        streams = list(pool.map(_stream, [server] * number, [application] * number))
    assert sum(map(len, streams)) == number * in_each >= MANY
    assert all(stream == [str(n) for n in range(in_each)] for stream in streams)


def _stream(server: Server, application: str) -> list[str]:
    """Return what comes back of numbered frames, among which fresh tokens are presented."""
    numbers, echoed = map(str, count()), list[str]()
    with _open(server, application, OFFER, bearer(lasting("ada", 600))) as socket:
        assert socket.read().json["type"] == "auth.ok"
        for turn in range(REAUTHENTICATIONS):
            socket.send_json({"type": "auth", "token": lasting("ada", 600, str(turn))})
            for _ in range(FRAMES):
                socket.send(next(numbers))
            echoed += _read_until(socket, "auth.ok")
        socket.send("the end")
        echoed += _read_until(socket, "the end")
    return echoed


def test_application_that_closes_amid_frames_gets_all_before_and_one_disconnect(
    server: Server,
) -> None:
    with ThreadPoolExecutor(4) as pool:
        endings = list(pool.map(_leave, [server] * 12))
    assert 4001 in {code for _, code, _ in endings}
    for echoed, code, events in endings:
        assert echoed == list(map(str, range(len(echoed))))
        # daphne and granian may hang up without the close frame while the client still sends.
        assert code in (4001, None)
        assert events[-2:] == [
            {"type": "websocket.disconnect", "code": 4001, "reason": ""},
            {"type": "returned"},
        ]


def _leave(server: Server) -> tuple[list[str], int | None, list[dict[str, Any]]]:
    """Return the echoed numbers, the close code, and the events of the application."""
    name, echoed, code = f"leaves-{next(_names)}", list[str](), None
    with _open(server, "leaves", bearer(lasting("ada", 600)), name=name) as socket:
        with suppress(ConnectionError):
            for number in range(100):
                socket.send(str(number))
        with suppress(ConnectionError, EOFError):
            while not (frame := socket.read()).closes:
                echoed.append(frame.text)
            code = frame.code
            socket.close()
    return echoed, code, eventually(lambda: server.events(name), has_ended)


def _read_until(socket: Socket, wanted: str) -> list[str]:
    """Return the numbers that come before the wanted frame."""
    texts = iter(lambda: socket.read().text, None)
    return [text for text in takewhile(lambda text: wanted not in text, texts) if text.isdigit()]


def _open(server: Server, application: str, *headers: bytes, name: str = "") -> Socket:
    name = name or f"frames-{next(_names)}"
    socket = server.open(f"/life/{application}/{name}", headers)
    assert not isinstance(socket, Refusal), socket
    return socket
