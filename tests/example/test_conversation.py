"""The socket at `/`: who may open it, and what it answers."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

HELLO = {"command": "Say hello !", "data_string": "Grüße"}
ANSWER = {
    "command_response": "The command to say hello was received ",
    "data_string_bacK": "Grüße",
}


def say_hello(system, path="/", **options):
    with system.socket(path, **options) as ws:
        if ws.subprotocol:
            assert json.loads(ws.recv(timeout=60))["type"] == "auth.ok"
        ws.send(json.dumps(HELLO))
        assert json.loads(ws.recv(timeout=60)) == ANSWER
        return ws.subprotocol


def test_hello_with_the_token_in_the_query(system, token):
    assert say_hello(system, f"/?token={token}") is None


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_hello_with_the_token_in_the_header(system, token, scheme):
    assert say_hello(system, additional_headers={"Authorization": f"{scheme} {token}"}) is None


def test_hello_with_the_token_as_a_subprotocol(system, token):
    offered = ["token-auth.v1", f"bearer.{token}"]
    assert say_hello(system, subprotocols=offered, origin=system.url) == "token-auth.v1"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "null",
        "[]",
        "[" * 60_000,
        "9" * 10_000,
        "{}",
        b"\x00\xff",
        '{"command": "Say hello !"}',
        '{"command": "Say hello !", "data_string": NaN}',
        '{"command": ["Say hello !"], "data_string": "x"}',
        '{"command": "Say goodbye !", "data_string": "x"}',
    ],
)
def test_anything_else_is_answered_with_an_error_and_the_socket_stays(system, token, frame):
    with system.socket(f"/?token={token}") as ws:
        ws.send(frame)
        assert list(json.loads(ws.recv(timeout=60))) == ["error"]
        ws.send(json.dumps(HELLO))
        assert json.loads(ws.recv(timeout=60)) == ANSWER


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%00", "?token=%ff"])
def test_without_a_valid_token_a_program_is_denied(system, query):
    with pytest.raises(InvalidStatus, match="403"):
        system.knock(f"/{query}")


@pytest.mark.parametrize("offered", [["token-auth.v1"], ["token-auth.v1", "bearer.wrong"]])
def test_without_a_valid_token_a_browser_gets_4401(system, offered):
    with system.socket(subprotocols=offered, origin=system.url) as ws:
        assert json.loads(ws.recv(timeout=60))["type"] == "auth.error"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=60)
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize(("path", "origin"), [("/", "http://evil.example"), ("/elsewhere", None)])
def test_foreign_pages_and_unknown_paths_are_denied(system, token, path, origin):
    with pytest.raises(InvalidStatus, match="403"):
        system.knock(f"{path}?token={token}", origin=origin)


def test_requests_are_logged_without_their_tokens(system, token):
    before = len(system.output)
    say_hello(system, f"/?token={token}")
    with pytest.raises(InvalidStatus):
        system.knock(f"/elsewhere?token={token}")
    # The client has its answer before the server writes the line.
    system.wait_for_output("INFO WebSocket / open", since=before)
    system.wait_for_output("INFO WebSocket /elsewhere 403", since=before)
    assert "Traceback" not in system.output[before:]
    assert token not in system.output
