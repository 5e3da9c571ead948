"""Sockets whose application ends without closing them."""

import asyncio

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from tests.connection.server import ACCEPT, CONNECT, Server
from tests.connection.serving import GOOD, Noting, serve, shortened, start
from tests.connection.sockets import open_sockets

pytestmark = pytest.mark.usefixtures("each_kind_of_server")

PAGE = [(b"origin", b"https://example.com"), GOOD]
OURS = {"subprotocols": ["token-auth.v1"]}
HTTP = {"extensions": {"websocket.http.response": {}}}
AUTH = {"type": "websocket.receive", "text": '{"type":"auth","token":"g00d-canary"}'}
GOODBYE = {"type": "websocket.disconnect", "code": 1001}
FAILED = ["auth.error application_failed", 4500]


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol", "first_message"],
    }
    yield
    assert not open_sockets()


def ending(*messages, error=None):
    """An application that sends these messages, and returns or raises."""

    async def application(scope, receive, send):
        await receive()
        for message in messages:
            await send(message)
        if error:
            raise error

    return application


RETURNS, RAISES = None, ValueError("no route found for path 'x'.")
CANCELS = asyncio.CancelledError()  # of a task that it awaited


async def served(server, application, **values):
    """The exception that reached the server, if any did."""
    try:
        await serve(server, application, **values)
    except BaseException as error:  # noqa: BLE001 - whatever the application raised
        return error
    return None


@pytest.mark.parametrize("error", [RETURNS, RAISES, CANCELS])
@pytest.mark.asvs("16.5.4")
async def test_accepted_socket_is_closed_with_4500(error):
    server = Server(CONNECT)
    assert await served(server, ending(ACCEPT, error=error)) is error
    assert shortened(server) == ["accept", 4500]


@pytest.mark.parametrize("error", [RETURNS, RAISES])
async def test_client_that_speaks_our_protocol_gets_the_reason(error):
    server = Server(CONNECT)
    await served(server, ending(ACCEPT, error=error), **OURS)
    assert shortened(server) == ["accept", "auth.ok", *FAILED]


@pytest.mark.parametrize("messages", [(), (ACCEPT,)], ids=["before accept", "after accept"])
@pytest.mark.parametrize("error", [RETURNS, RAISES])
async def test_socket_that_a_first_message_let_in_is_closed_with_4500(messages, error):
    server = Server(CONNECT, AUTH)
    assert await served(server, ending(*messages, error=error), headers=[]) is error
    assert shortened(server) == ["accept", "auth.required", "auth.ok", *FAILED]


@pytest.mark.parametrize(
    ("values", "error", "sent"),
    [
        ({"headers": PAGE}, RETURNS, ["accept", 4500]),
        ({"headers": PAGE}, RAISES, ["accept", 4500]),
        (OURS, RETURNS, ["accept", *FAILED]),
        ({}, RETURNS, [4500]),  # which the server makes a denial
        ({}, RAISES, []),  # the server answers with 500
        (HTTP, RETURNS, ["HTTP 500", "body"]),
        (HTTP, RAISES, ["HTTP 500", "body"]),
    ],
)
async def test_handshake_without_an_answer_is_refused(values, error, sent):
    server = Server(CONNECT)
    assert await served(server, ending(error=error), **values) is error
    assert shortened(server) == sent


async def test_response_over_http_that_was_begun_is_completed():
    start = {"type": "websocket.http.response.start", "status": 404, "headers": []}
    server = Server(CONNECT)
    await served(server, ending(start), **HTTP)
    assert server.sent == [start, {"type": "websocket.http.response.body", "body": b""}]


async def test_socket_that_its_client_left_gets_nothing_more():
    server = Server(CONNECT, GOODBYE)
    await served(server, Noting())
    assert shortened(server) == ["accept"]


async def test_socket_that_its_application_closed_gets_nothing_more():
    server = Server(CONNECT)
    await served(server, ending(ACCEPT, {"type": "websocket.close", "code": 4001}, error=RAISES))
    assert shortened(server) == ["accept", 4001]


async def test_socket_that_the_library_closed_gets_nothing_more():
    one = await start(Server(CONNECT), Noting())
    one.connection.close(CloseReason.TOKEN_REVOKED)
    await one.task
    assert shortened(one.server) == ["accept", 4410]


async def test_error_of_the_library_closes_with_its_own_code():
    server = Server(CONNECT)
    error = TokenAuthError(CloseReason.RATE_LIMITED, retry_after=7)
    assert await served(server, ending(ACCEPT, error=error)) is None
    assert shortened(server) == ["accept", 4429]


async def test_error_of_the_library_before_accept_keeps_its_retry_after():
    server = Server(CONNECT)
    error = TokenAuthError(CloseReason.RATE_LIMITED, retry_after=7)
    await served(server, ending(error=error), **HTTP)
    assert server.sent[0]["status"] == 429
    assert (b"retry-after", b"7") in server.sent[0]["headers"]


# -- Cancelled from outside, by the server or by middleware with a time limit


async def test_application_that_is_cancelled_leaves_no_open_socket():
    one = await start(Server(CONNECT), Noting())
    one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one.task
    assert shortened(one.server) == ["accept", 4500]


async def serve_with_time_limit(server, messages, **values):
    """Serve a socket within a time limit that ends once the server has sent so many messages."""

    async def end(limit):
        while len(server.sent) < messages or not server.is_idle:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
        limit.reschedule(asyncio.get_running_loop().time())

    async def limited():
        async with asyncio.timeout(60) as limit:
            reference = asyncio.create_task(end(limit))
            await serve(server, Noting(), **values)
            await reference

    with pytest.raises(TimeoutError):
        await limited()


async def test_time_limit_of_middleware_outside_leaves_no_open_socket():
    server = Server(CONNECT)
    await serve_with_time_limit(server, 1)
    assert shortened(server) == ["accept", 4500]


async def test_wait_for_a_first_message_that_is_cancelled_leaves_no_open_socket():
    server = Server(CONNECT)
    await serve_with_time_limit(server, 2, headers=[])
    assert shortened(server) == [
        "accept",
        "auth.required",
        "auth.error unavailable",
        4503,
    ]


async def test_server_that_fails_while_a_first_message_is_awaited_leaves_no_open_socket():
    class Failing(Server):
        async def receive(self):
            if self.inbox.empty():
                raise ConnectionError("the server's own")
            return await super().receive()

    server = Failing(CONNECT)
    assert await served(server, Noting(), headers=[]) is None
    assert shortened(server)[-1] == 4503


async def test_no_task_is_left_however_it_ended():
    for error in (RETURNS, RAISES, CANCELS):
        await served(Server(CONNECT, AUTH), ending(error=error), headers=[])
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
