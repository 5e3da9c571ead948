"""Scopes that a consumer's method requires of the socket that calls it."""

import inspect
from types import SimpleNamespace

import pytest
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer
from django.contrib.auth.models import User

from channels_token_auth import consumers
from channels_token_auth.authorization.scopes import requires_scopes
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens

ADA = User(pk=7, username="ada")
FORBIDDEN = {"type": "auth.error", "code": "forbidden", "retry": False, "retry_after": None}


class Methods:
    """A consumer with every kind of method."""

    def __init__(self, *scopes):
        self.scope = {"auth": SimpleNamespace(scopes=frozenset(scopes))}

    @requires_scopes("chat:write")
    async def later(self, value, *, times=1):
        """Its own words."""
        return value * times

    @requires_scopes("chat:write", "chat:delete")
    def at_once(self, value):
        return value

    @requires_scopes("chat:write")
    @database_sync_to_async
    def in_a_thread(self, value):
        return value


async def test_a_method_runs_for_a_token_that_has_its_scopes():
    methods = Methods("chat:write", "chat:delete")
    assert await methods.later("a", times=2) == "aa"
    assert await methods.in_a_thread("b") == "b"
    assert methods.at_once("c") == "c"


@pytest.mark.asvs("8.2.1")
async def test_a_method_raises_forbidden_for_a_token_that_lacks_one():
    with pytest.raises(TokenAuthError) as raised:
        await Methods("chat:read").later("a")
    assert raised.value.code is CloseReason.FORBIDDEN
    with pytest.raises(TokenAuthError):
        await Methods().in_a_thread("b")
    with pytest.raises(TokenAuthError):
        Methods("chat:write").at_once("c")


def test_a_method_is_forbidden_to_an_anonymous_socket():
    methods = Methods()
    methods.scope["auth"] = None
    with pytest.raises(TokenAuthError):
        methods.at_once("c")


async def test_an_async_method_stays_one_and_keeps_its_name():
    assert inspect.iscoroutinefunction(Methods.later)
    assert not inspect.iscoroutinefunction(Methods.at_once)
    assert (Methods.later.__name__, Methods.later.__doc__) == ("later", "Its own words.")


def test_the_scopes_are_asked_for_at_each_call():
    methods = Methods("chat:write", "chat:delete")
    methods.at_once("a")
    methods.scope["auth"].scopes = frozenset()
    with pytest.raises(TokenAuthError):
        methods.at_once("a")


@pytest.mark.parametrize(
    "scopes", [(), ("",), (["chat:write"],), (Methods.at_once,)], ids=["none", "", "list", "bare"]
)
def test_a_decorator_without_scopes_fails_where_it_is_written(scopes):
    with pytest.raises((TypeError, ValueError), match="scopes"):
        requires_scopes(*scopes)


class Async(AsyncJsonWebsocketConsumer):
    @requires_scopes("chat:write")
    async def receive_json(self, content):
        await self.send_json({"written": content})


class Fast(consumers.AsyncJsonWebsocketConsumer):
    @requires_scopes("chat:write")
    async def receive_json(self, content):
        await self.send_json({"written": content})


class Sync(JsonWebsocketConsumer):
    @requires_scopes("chat:write")
    def receive_json(self, content):
        self.send_json({"written": content})


class Catching(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        try:
            await self.write(content)
        except TokenAuthError as error:
            await self.send_json({"error": error.code})

    @requires_scopes("chat:write")
    async def write(self, content):
        await self.send_json({"written": content})


class Private(AsyncJsonWebsocketConsumer):
    @requires_scopes("chat:write")
    async def connect(self):
        await self.accept()


@pytest.fixture(autouse=True)
def tokens():
    with fake_tokens() as tokens:
        tokens.issue(ADA, token="reader", scopes=["chat:read"])
        tokens.issue(ADA, token="writer", scopes=["chat:write"])
        yield tokens


async def connect(consumer, token, **overrides):
    site = TokenAuthMiddlewareStack(consumer.as_asgi(), **overrides)
    client = TokenWebsocketCommunicator(site, "/", token=token, location="subprotocol")
    return client, await client.connect()


@pytest.mark.parametrize("consumer", [Async, Sync, Fast])
async def test_what_no_consumer_catches_closes_the_socket_with_4403(consumer, caplog):
    client, _ = await connect(consumer, "reader")
    await client.send_json_to(1)
    assert await client.receive_auth_from() == FORBIDDEN
    await client.wait()
    assert (client.close_code, caplog.records) == (4403, [])


@pytest.mark.parametrize("consumer", [Async, Sync, Fast])
async def test_a_socket_may_call_what_its_token_allows(consumer):
    client, _ = await connect(consumer, "writer")
    await client.send_json_to(1)
    assert await client.receive_json_from() == {"written": 1}
    await client.disconnect()


async def test_reauthentication_gives_an_open_socket_more_scopes():
    client, _ = await connect(Catching, "reader")
    await client.send_json_to(1)
    assert await client.receive_json_from() == {"error": "forbidden"}
    await client.reauthenticate("writer")
    await client.send_json_to(2)
    assert await client.receive_json_from() == {"written": 2}
    await client.disconnect()


async def test_a_connect_that_requires_scopes_denies_the_handshake():
    _, answer = await connect(Private, "reader")
    assert answer == (False, 4403)


async def test_an_anonymous_socket_meets_the_same_refusal():
    client, _ = await connect(Async, None, anonymous=True, locations=["subprotocol"])
    await client.send_json_to(1)
    await client.wait()
    assert client.close_code == 4403
