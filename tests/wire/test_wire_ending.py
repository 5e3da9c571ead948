"""Sockets whose application has ended, or denies: closed with a code, on six servers."""

from itertools import count

import pytest

from tests.wire.client import Frame, Refusal, Socket
from tests.wire.closing import eventually, has_ended
from tests.wire.handshakes.case import bearer
from tests.wire.project.lasting import lasting
from tests.wire.servers import Server

OFFER = b"Sec-WebSocket-Protocol: token-auth.v1"
ORIGIN = b"Origin: http://127.0.0.1:8000"
TOKEN = lasting("ada", 600)
ENDS_AFTER_ACCEPT = ["returns", "fails"]
ENDS_BEFORE_ACCEPT = ["silent", "lost"]
_names = count()


def _open(server: Server, application: str, *headers: bytes) -> Socket | Refusal:
    return server.open(f"/life/{application}/ending-{next(_names)}", headers)


def _accepted(server: Server, application: str, *headers: bytes) -> Socket:
    socket = _open(server, application, *headers)
    assert isinstance(socket, Socket), socket
    return socket


def _close(socket: Socket) -> Frame:
    with socket:
        frame = socket.read_until_close()
        socket.close(frame.code or 1000)
        return frame


@pytest.mark.parametrize("application", ENDS_AFTER_ACCEPT)
def test_socket_whose_application_ended_is_closed_with_4500(
    server: Server, application: str
) -> None:
    assert _close(_accepted(server, application, bearer(TOKEN))).code == 4500


@pytest.mark.parametrize("application", [*ENDS_AFTER_ACCEPT, *ENDS_BEFORE_ACCEPT])
def test_and_so_is_one_that_was_accepted_for_a_first_message(
    server: Server, application: str
) -> None:
    socket = _accepted(server, application, OFFER)
    assert socket.read().json["type"] == "auth.required"
    socket.send_json({"type": "auth", "token": TOKEN})
    assert socket.read().json["type"] == "auth.ok"
    assert socket.read().json["code"] == "application_failed"
    assert _close(socket).code == 4500


def test_consumer_that_raises_in_a_handler_is_closed_with_4500(server: Server) -> None:
    socket = _accepted(server, "raises", bearer(TOKEN))
    socket.send("fail now")
    assert _close(socket).code == 4500


@pytest.mark.parametrize("application", ENDS_BEFORE_ACCEPT)
def test_page_gets_the_code_of_an_application_that_ended_before_its_accept(
    server: Server, application: str
) -> None:
    assert _close(_accepted(server, application, ORIGIN, OFFER, bearer(TOKEN))).code == 4500


@pytest.mark.parametrize("application", ENDS_BEFORE_ACCEPT)
def test_other_client_gets_500(server: Server, application: str) -> None:
    refusal = _open(server, application, bearer(TOKEN))
    assert isinstance(refusal, Refusal)
    # daphne has no other answer than its plain denial, where the application does not raise.
    denied = server.kind == "daphne" and application == "silent"
    assert refusal.status == (403 if denied else 500)


@pytest.mark.parametrize(("application", "code"), [("denies", 4403), ("denies-with-code", 4001)])
def test_denial_by_the_application_reaches_a_page(
    server: Server, application: str, code: int
) -> None:
    socket = _accepted(server, application, ORIGIN, bearer(TOKEN))
    assert _close(socket).code == code


@pytest.mark.parametrize(("application", "code"), [("denies", 4403), ("denies-with-code", 4001)])
def test_denial_after_a_first_message_has_the_same_code(
    server: Server, application: str, code: int
) -> None:
    socket = _accepted(server, application, OFFER)
    socket.send_json({"type": "auth", "token": TOKEN})
    assert _close(socket).code == code


@pytest.mark.parametrize("application", ["denies", "denies-with-code"])
def test_denial_of_another_client_is_a_403(server: Server, application: str) -> None:
    refusal = _open(server, application, bearer(TOKEN))
    assert isinstance(refusal, Refusal)
    assert refusal.status == 403


def test_standard_code_of_the_application_arrives_or_becomes_4500(server: Server) -> None:
    code = _close(_accepted(server, "drains", bearer(TOKEN))).code
    assert code == (4500 if server.kind == "daphne" else 1013)


def test_application_that_denied_gets_its_disconnect_and_ends(server: Server) -> None:
    name = f"ending-{next(_names)}"
    _close(_named(server, "denies-with-code", name))
    events = eventually(lambda: server.events(name), has_ended)
    told = {"type": "websocket.disconnect", "code": 4001, "reason": "by the application"}
    assert events[-2:] == [told, {"type": "returned"}]


def _named(server: Server, application: str, name: str) -> Socket:
    socket = server.open(f"/life/{application}/{name}", [ORIGIN, bearer(TOKEN)])
    assert isinstance(socket, Socket), socket
    return socket
