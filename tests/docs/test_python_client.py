"""The Python client of the docs waits, refreshes and ends as PROTOCOL.md requires."""

import asyncio
import json
import random
import time
from http import HTTPStatus

import pytest
from websockets.asyncio.server import serve

from tests.docs.pages import snippets

OK = {"type": "auth.ok", "expires_in": None, "user_id": "7"}


@pytest.fixture(scope="module")
def listen():
    (code,) = snippets("docs/how-to/front-ends/python.md", "python")
    names = {"__name__": "client"}
    exec(code, names)
    return names["listen"]


def error(code, retry_after=None):
    return {"type": "auth.error", "code": code, "retry": True, "retry_after": retry_after}


def run(listen, *lives, tokens=("ada",)):
    """Serve one life (its frames, then its close code) to each handshake.

    Return the code that ended the client, the times of the handshakes, the tokens that came, and
    the frames that the client handled.
    """
    waiting, answers = list(lives), list(tokens)
    times, came, handled = [], [], []

    async def life(socket):
        times.append(time.monotonic())
        came.append(socket.request.headers["Authorization"].removeprefix("Bearer "))
        *frames, code = waiting.pop(0)
        for frame in frames:
            await socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        await socket.close(code)

    async def handle(_, frame):
        handled.append(frame)

    async def main():
        async with serve(life, "127.0.0.1", 0, subprotocols=["token-auth.v1"]) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"ws://127.0.0.1:{port}/"
            return await asyncio.wait_for(listen(url, take, handle), 60)

    def take():
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(main()), times, came, handled


def test_frames_of_the_application_are_handed_over_as_they_are(listen):
    frames = ["hello ada", "[1]", '{"text": 1}', '{"type": "auth', b'{"type": "auth.ok"}']
    frames += ['{"type": "auth.login"}', '{"type": ["auth."]}', "[" * 100_000 + '"auth.', '"auth."']
    assert run(listen, [OK, *frames, 4410])[::3] == (4410, frames)


def test_it_waits_at_least_as_long_as_the_server_asks(listen):
    _, (first, second), *_ = run(listen, [error("unavailable", 1), 4503], [OK, 4401])
    assert second - first >= 1


def test_it_comes_back_after_a_normal_close(listen):
    assert len(run(listen, [OK, 1000], [OK, 4403])[1]) == 2


def test_expired_token_is_replaced_at_once(listen, monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda *_: 10)
    _, (first, second), came, _ = run(
        listen, [error("token_expired"), 4419], [OK, 4410], tokens=("old", "new")
    )
    assert came == ["old", "new"]
    assert second - first < 10


def test_token_that_expired_is_not_presented_again(listen):
    assert run(listen, [error("token_expired"), 4419])[::2] == (4419, ["ada"])


def test_token_whose_connection_reached_its_age_is_presented_again(listen):
    assert run(listen, [OK, 4419], [OK, 4410])[::2] == (4410, ["ada", "ada"])


def test_token_that_cannot_be_fetched_is_asked_for_again(listen, monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda *_: 0)
    tokens = (ConnectionError("no network"), "ada", None)
    assert run(listen, [OK, 1000], tokens=tokens)[::2] == (4401, ["ada"])


@pytest.mark.parametrize("code", [4401, 4410])
def test_another_token_is_tried_once(listen, code):
    lives = [[OK, code], [error("token_invalid"), 4401]]
    assert run(listen, *lives, tokens=("old", "new", "third"))[::2] == (4401, ["old", "new"])


def test_user_who_has_to_log_in_gets_the_code(listen):
    assert run(listen, [OK, 4410], tokens=("ada", None))[::2] == (4410, ["ada"])


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (HTTPStatus.FORBIDDEN, '{"code":"forbidden"}', 4403),
        (HTTPStatus.UNAUTHORIZED, '{"code":"user_inactive"}', 4423),
        (HTTPStatus.UNAUTHORIZED, '{"code":"token_revoked"}', 4410),
        (HTTPStatus.FORBIDDEN, "a proxy", None),
        (HTTPStatus.FORBIDDEN, '{"code":["forbidden"]}', None),
    ],
)
def test_denial_over_http_counts_as_its_code(listen, monkeypatch, status, body, code):
    monkeypatch.setattr(random, "uniform", lambda *_: 0)
    tokens = iter(["ada", None])

    async def main():
        def deny(connection, request):
            return connection.respond(status, body)

        async with serve(lambda socket: None, "127.0.0.1", 0, process_request=deny) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"ws://127.0.0.1:{port}/"
            return await asyncio.wait_for(listen(url, lambda: next(tokens), None), 60)

    assert asyncio.run(main()) == (code or 4401)
