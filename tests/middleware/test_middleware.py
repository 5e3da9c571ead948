import asyncio

import pytest
from channels.generic.websocket import JsonWebsocketConsumer
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.middleware import TokenAuthMiddleware, TokenAuthMiddlewareStack
from channels_token_auth.verification.authenticator import all_backends
from tests.connection.server import ACCEPT, CONNECT, Server, scope, sends
from tests.connection.sockets import open_sockets
from tests.verification.backends import identity

FAKE = {"BACKEND": "tests.middleware.backend.OneTokenBackend"}
GOOD = (b"authorization", b"Token g00d-canary")
BAD = (b"authorization", b"Token b4d-canary")
BROWSER = (b"origin", b"https://example.com")


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [FAKE], "LOCATIONS": ["header", "subprotocol"]}


class Application:
    """Notes the scope that it gets, and accepts."""

    scope = None

    async def __call__(self, scope, receive, send):
        self.scope = scope
        await receive()
        await send(ACCEPT)


async def shake_hands(application=None, *, overrides=None, connect=CONNECT, **values):
    application = application or Application()
    server = Server(connect)
    middleware = TokenAuthMiddleware(application, **(overrides or {}))
    await middleware(scope(**values), server.receive, server.send)
    return application, server


async def test_a_good_token_brings_its_user_and_its_authentication_into_the_scope():
    application, server = await shake_hands(headers=[GOOD])
    assert application.scope["user"] == identity("g00d-canary").user
    assert application.scope["auth"].location == "header"
    assert server.types[0] == "websocket.accept"


async def test_scope_has_the_names_that_a_proxy_gave_to_the_handshake():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = [GOOD, (b"X-Request-ID", b"r-1"), (b"traceparent", parent.encode())]
    application, _ = await shake_hands(headers=headers)
    auth = application.scope["auth"]
    assert (auth.request_id, auth.traceparent) == ("r-1", parent)


async def test_request_id_with_the_token_in_it_is_ignored():
    application, _ = await shake_hands(headers=[GOOD, (b"x-request-id", b"x-g00d-canary")])
    assert application.scope["auth"].request_id is None


@pytest.mark.parametrize(
    ("headers", "code", "reason"),
    [([BROWSER], 4401, "token_missing"), ([BROWSER, BAD], 4401, "token_invalid")],
)
async def test_a_browser_is_refused_by_accept_and_close(headers, code, reason):
    application, server = await shake_hands(headers=headers)
    assert application.scope is None
    assert server.sent == [
        {"type": "websocket.accept", "subprotocol": None},
        {"type": "websocket.close", "code": code, "reason": reason},
    ]


async def test_another_client_is_refused_by_http_where_the_server_can():
    _, server = await shake_hands(headers=[BAD], extensions={"websocket.http.response": {}})
    assert server.sent[0]["status"] == 401


@pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {}}])
async def test_and_by_a_plain_denial_where_the_server_cannot(extensions):
    _, server = await shake_hands(headers=[BAD], **extensions)
    assert server.types == ["websocket.close"]


@pytest.mark.asvs("4.4.2")
async def test_a_foreign_origin_is_refused_before_accept_and_before_any_credential():
    offer = (b"sec-websocket-protocol", b"bearer.g00d-canary")
    application, server = await shake_hands(headers=[(b"origin", b"https://evil.com"), offer])
    assert application.scope is None
    assert server.types == ["websocket.close"]


async def test_an_anonymous_socket_passes_only_where_it_is_allowed_and_has_no_credential():
    application, _ = await shake_hands(overrides={"anonymous": True})
    assert application.scope["user"].is_anonymous
    assert application.scope["auth"] is None
    application, _ = await shake_hands(overrides={"anonymous": True}, headers=[BAD])
    assert application.scope is None


async def test_the_consumer_sees_no_credential():
    application, _ = await shake_hands(
        headers=[GOOD, (b"sec-websocket-protocol", b"chat, bearer.g00d-canary")],
        query_string=b"token=g00d-canary&room=1",
        subprotocols=["chat", "bearer.g00d-canary"],
        overrides={"locations": ["header", "query", "subprotocol"]},
    )
    assert "canary" not in repr(application.scope)
    assert application.scope["query_string"] == b"room=1"


async def test_a_client_that_left_before_it_connected_is_left_alone():
    application, server = await shake_hands(connect={"type": "websocket.disconnect"})
    assert (application.scope, server.sent) == (None, [])


async def test_other_kinds_of_scope_pass_untouched():
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)

    http = {"type": "http"}
    await TokenAuthMiddlewareStack(application)(http, None, None)
    assert seen == [http]


async def test_a_changed_setting_is_seen_and_an_unchanged_one_costs_no_new_door(settings):
    application = Application()
    middleware = TokenAuthMiddleware(application)

    async def attempt():
        server = Server(CONNECT)
        await middleware(scope(), server.receive, server.send)
        return server.types[0]

    assert await attempt() == "websocket.close"
    built = {*all_backends()}
    assert await attempt() == "websocket.close"
    assert {*all_backends()} <= built
    settings.CHANNELS_TOKEN_AUTH = settings.CHANNELS_TOKEN_AUTH | {"ANONYMOUS": True}
    assert await attempt() == "websocket.accept"
    assert not {*all_backends()} <= built


async def test_a_close_from_outside_before_accept_is_answered_as_a_refusal():
    async def application(scope, receive, send):
        await receive()
        (connection,) = open_sockets()
        connection.close(CloseReason.TOKEN_REVOKED)
        assert (await receive())["code"] == 4410

    _, server = await shake_hands(application, headers=[BROWSER, GOOD])
    assert server.types == ["websocket.accept", "websocket.close"]
    assert server.sent[1]["code"] == 4410


class Hello(JsonWebsocketConsumer):
    """A stock consumer, unchanged."""

    def connect(self):
        self.accept()
        self.send_json({"user": self.scope["user"].get_username()})


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
async def test_a_stock_consumer_gets_the_user_of_a_drf_token(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]
    }
    user = await get_user_model().objects.acreate(username="ada")
    token = await Token.objects.acreate(user=user)
    communicator = WebsocketCommunicator(
        TokenAuthMiddlewareStack(Hello.as_asgi()),
        "/",
        headers=[(b"authorization", f"Bearer {token.key}".encode())],
    )
    assert (await communicator.connect())[0]
    assert await communicator.receive_json_from() == {"user": "ada"}
    await communicator.disconnect()


async def test_a_hundred_handshakes_at_once_leave_no_task_behind():
    await asyncio.gather(*(shake_hands(headers=[GOOD]) for _ in range(100)))
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_frames_pass_both_ways():
    async def echo(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await send(sends((await receive())["text"]))

    server = Server(CONNECT, {"type": "websocket.receive", "text": "hello"})
    await TokenAuthMiddleware(echo)(scope(headers=[GOOD]), server.receive, server.send)
    assert server.sent[1] == sends("hello")
