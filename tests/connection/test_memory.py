"""An open socket keeps little: nothing of its handshake, and no copy of what the server has."""

import gc
from collections.abc import Iterator
from types import CoroutineType, MethodType
from typing import Any

import pytest

from channels_token_auth.connection.inbox import Inbox
from channels_token_auth.core.handshake.extraction import Handshake
from channels_token_auth.middleware import TokenAuthMiddleware
from tests.connection.server import ACCEPT, CONNECT, Server, scope
from tests.connection.serving import GOOD, Noting, start
from tests.memory import kept_by

LEAVE = {"type": "websocket.disconnect", "code": 1000}
HOST = (b"host", b"testserver")

pytestmark = pytest.mark.usefixtures("each_kind_of_server")


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol", "query"],
    }


async def test_open_sockets_keep_no_handshake_of_their_own():
    served = [await start(Server(CONNECT), Noting()) for _ in range(2)]
    # From one socket, its node leads to the other one.
    assert len(kept_by(served[0].connection, Handshake)) == 1
    await _end(served)


async def test_open_sockets_without_labels_share_an_empty_mapping():
    served = [await start(Server(CONNECT), Noting()) for _ in range(2)]
    first, second = (each.connection.labels for each in served)
    assert first is second
    await _end(served)


@pytest.mark.parametrize(
    "credential",
    [
        {"headers": (HOST, GOOD)},
        {"query_string": b"a=1&token=g00d-canary"},
        {"subprotocols": ["chat", "bearer.g00d-canary"]},
    ],
)
async def test_application_gets_the_clean_lists_of_the_server(credential):
    values = {"headers": (HOST,), **credential}
    outer = scope(**values | {"headers": [*values["headers"]]})
    taken = await _scope_inside(outer)
    assert "canary" not in repr(taken)
    assert taken["headers"] is outer["headers"]
    assert taken["subprotocols"] is outer["subprotocols"]


async def test_scope_that_cannot_be_changed_stays_as_it_is_and_is_clean_inside():
    class Fixed(dict[str, Any]):
        def __setitem__(self, key, value):
            raise TypeError

    values = {"headers": (HOST, GOOD), "query_string": b"token=g00d-canary"}
    outer = Fixed(scope(**values, subprotocols=("chat", "bearer.g00d-canary")))
    taken = await _scope_inside(outer)
    assert "canary" not in repr(taken)
    assert taken["headers"] == [HOST]
    assert taken["subprotocols"] == ["chat"]


async def test_idle_socket_keeps_no_method_of_its_inbox():
    served = await start(Server(CONNECT), Noting())
    frames = list(_awaited(served.task.get_coro()))
    methods = [each for frame in frames for each in gc.get_referents(frame)]
    methods = [each for each in methods if isinstance(each, MethodType)]
    assert not [each for each in methods if isinstance(each.__self__, Inbox)]
    await _end([served])


def _awaited(coroutine: Any) -> Iterator[Any]:
    while isinstance(coroutine, CoroutineType):
        yield coroutine
        coroutine = coroutine.cr_await


async def _scope_inside(outer: Any) -> Any:
    taken = []

    async def application(inner, receive, send):
        taken.append(inner)
        await receive()
        await send(ACCEPT)
        await receive()

    server = Server(CONNECT, LEAVE)
    await TokenAuthMiddleware(application)(outer, server.receive, server.send)
    return taken[0]


async def _end(served: list[Any]) -> None:
    for each in served:
        each.server.inbox.put_nowait(LEAVE)
        await each.task
