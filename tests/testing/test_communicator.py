import asyncio

import pytest
from channels.testing import WebsocketCommunicator

from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import FakeTokenBackend, TokenWebsocketCommunicator, fake_tokens
from channels_token_auth.verification.tickets import Tickets
from tests.testing.site import ADA, BOB, application

SITE = {
    "LOCATIONS": list(Location),
    "ALLOWED_ORIGINS": ["https://example.com"],
    "QUERY_NAME": "key",
    "COOKIE_NAME": "key",
}
ORIGIN = "https://example.com"


@pytest.fixture(autouse=True)
def tokens(settings):
    settings.CHANNELS_TOKEN_AUTH = SITE
    with fake_tokens({"ada's": ADA, "next": ADA, "bob's": BOB}) as tokens:
        tokens.issue(ADA, token="ada's=")
        yield tokens


def ok(user_id="1", expires_in=None):
    return {"type": "auth.ok", "expires_in": expires_in, "user_id": user_id}


def communicator(path="/chat/", **options):
    return TokenWebsocketCommunicator(application, path, **options)


@pytest.mark.parametrize("location", [each for each in Location if each is not Location.TICKET])
async def test_a_token_is_presented_in_every_location(location):
    client = communicator("/chat/?room=1", token="ada's=", location=location, origin=ORIGIN)
    assert (await client.connect())[0]
    assert await client.receive_json_from() == ["ada", location]
    await client.disconnect()


async def test_a_ticket_is_presented_in_the_query():
    credential = Credential(location=Location.HEADER, secret=Secret("ada's"))
    backend = FakeTokenBackend()
    (identity,) = backend.authenticate([credential])
    ticket = Tickets([backend], cache="default").issue(identity, origin=None)
    client = communicator(token=ticket, location="ticket")
    assert await client.connect() == (True, None)
    assert await client.receive_json_from() == ["ada", "ticket"]
    await client.disconnect()


async def test_a_user_logs_in_without_a_token():
    client = communicator(user=BOB)
    assert await client.connect() == (True, None)
    assert await client.receive_json_from() == ["bob", "header"]
    await client.disconnect()


async def test_a_user_and_a_token_make_that_token_the_users():
    assert (await communicator(user=BOB, token="new").connect())[0]
    client = communicator(token="new")
    await client.connect()
    assert (await client.receive_json_from())[0] == "bob"
    await client.disconnect()


@pytest.mark.parametrize("location", ["subprotocol", "first_message"])
async def test_the_applications_frames_come_without_the_auth_messages(location):
    client = communicator(token="ada's", location=location, subprotocols=["token-auth.v1"])
    assert await client.connect() == (True, "token-auth.v1")
    assert client.auth_ok == ok()
    assert await client.receive_json_from() == ["ada", location]
    await client.send_json_to({"type": "auth.ping"})
    assert await client.receive_nothing()
    await client.disconnect()


@pytest.mark.parametrize("frame", [{"type": "authors"}, ["auth.ok"], {"say": "auth.ok"}])
async def test_frames_that_look_alike_are_the_applications(frame):
    client = communicator(user=ADA, location="subprotocol")
    await client.connect()
    await client.receive_json_from()
    await client.send_json_to(frame)
    assert await client.receive_json_from() == frame
    await client.disconnect()


async def test_text_that_is_no_json_is_the_applications():
    async def application(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": '{"auth.ok'})
        await send({"type": "websocket.send", "bytes": b'"auth.ok"'})

    client = TokenWebsocketCommunicator(application, "/")
    await client.connect()
    assert await client.receive_from() == '{"auth.ok'
    assert await client.receive_from() == b'"auth.ok"'


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"origin": ORIGIN},
        {"location": "subprotocol"},
        {"location": "first_message"},
        {"location": "first_message", "origin": ORIGIN},
    ],
)
async def test_a_refused_handshake_is_not_connected_however_it_is_refused(options):
    client = communicator(token="nobody's", **options)
    assert await client.connect() == (False, 4401)
    await client.wait()
    assert client.close_code == 4401


async def test_a_foreign_origin_is_not_connected():
    client = communicator(user=ADA, origin="https://evil.com", location="subprotocol")
    assert await client.connect() == (False, 4403)


async def test_a_first_message_that_is_not_awaited_is_not_connected(settings):
    stack = TokenAuthMiddlewareStack(application.application, locations=["header"])
    client = TokenWebsocketCommunicator(
        stack, "/", token="ada's", location="first_message", origin=ORIGIN
    )
    assert await client.connect() == (False, 4401)


async def test_a_denial_after_a_first_message_closes_with_4403():
    client = communicator("/denied/", user=ADA, location="first_message")
    assert await client.connect() == (True, None)
    await client.wait()
    assert client.close_code == 4403


@pytest.mark.parametrize("subprotocols", [[], ["token-auth.v1"]])
async def test_without_a_token_the_test_may_answer_auth_required_itself(subprotocols):
    client = communicator(location="first_message", subprotocols=subprotocols)
    assert (await client.connect())[0]
    assert (await client.receive_auth_from())["type"] == "auth.required"
    assert await client.reauthenticate("ada's") == ok()
    await client.disconnect()


async def test_reauthentication_returns_the_answer():
    client = communicator(token="ada's", location="subprotocol")
    await client.connect()
    await client.send_json_to({"type": "auth.ping"})
    assert await client.reauthenticate("next") == ok()
    answer = await client.reauthenticate("bob's")
    assert answer["code"] == "identity_changed"
    await client.wait()
    assert client.close_code == 4409


async def test_a_close_of_the_consumers_is_noted_and_disconnects_it():
    client = communicator(user=ADA)
    await client.connect()
    await client.receive_json_from()
    await client.send_json_to({"close": 4000})
    assert (await client.receive_output())["code"] == 4000
    await client.wait()
    assert client.close_code == 4000
    await client.disconnect()


async def test_a_consumers_own_close_right_after_its_accept_was_a_connection():
    async def application(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    client = TokenWebsocketCommunicator(application, "/")
    assert await client.connect() == (True, None)
    assert client.close_code == 1000


async def test_who_was_in_was_connected_though_the_consumer_closed_with_a_code_of_ours():
    async def application(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4403})

    stack = TokenAuthMiddlewareStack(application)
    client = TokenWebsocketCommunicator(stack, "/", user=ADA, location="subprotocol")
    assert await client.connect() == (True, "token-auth.v1")
    await client.wait()
    assert client.close_code == 4403


async def test_where_no_auth_message_can_come_any_more_nobody_waits_for_one():
    client = communicator(token="ada's", location="subprotocol")
    await client.connect()
    await client.disconnect()
    for _ in range(2):
        with pytest.raises(AssertionError, match="No auth"):
            await client.receive_auth_from(timeout=30)


async def test_an_auth_message_that_does_not_come_in_time_is_a_timeout():
    client = communicator(token="ada's", location="subprotocol")
    await client.connect()
    with pytest.raises(TimeoutError):
        await client.receive_auth_from(timeout=0.01)
    await client.disconnect()


async def test_tests_of_the_project_wait_for_longer_than_the_default():
    async def application(scope, receive, send):
        await asyncio.sleep(1.1)
        await send({"type": "websocket.accept"})

    client = WebsocketCommunicator(application, "/")
    assert (await client.connect())[0]


async def test_the_handshake_is_what_a_server_hands_over():
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)
        await send({"type": "websocket.accept"})

    client = TokenWebsocketCommunicator(
        application,
        "/chat/",
        token="ada's",
        location="subprotocol",
        subprotocols=["chat"],
        headers=[(b"x-room", b"1")],
        origin=ORIGIN,
    )
    await client.connect()
    (scope,) = seen
    assert scope["subprotocols"] == ["token-auth.v1", "chat", "base64url.bearer.YWRhJ3M"]
    assert scope["headers"] == [
        (b"x-room", b"1"),
        (b"origin", ORIGIN.encode()),
        (b"sec-websocket-protocol", ", ".join(scope["subprotocols"]).encode()),
    ]


async def test_it_leaves_no_task_behind():
    client = communicator(user=ADA, location="subprotocol")
    await client.connect()
    await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
