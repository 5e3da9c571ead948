"""A site's own tests may log in a user that they have made, in every kind of test case."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connections
from django.test import TestCase, TransactionTestCase
from rest_framework.authtoken.models import Token

from channels_token_auth.middleware import TokenAuthMiddlewareStack

pytestmark = pytest.mark.database


class InTestCase(TestCase):
    """The user and the token are in a transaction that nobody ever commits."""

    @classmethod
    def setUpTestData(cls):
        user = User.objects.create(username="ada")
        cls.token = Token.objects.create(user=user)

    async def test_user_of_the_class_is_in(self):
        assert await first_frame(self.token.key) == "hello ada"

    async def test_user_of_the_test_is_in(self):
        assert await first_frame(await new_token("grace")) == "hello grace"

    async def test_token_deleted_in_the_test_is_refused(self):
        await self.token.adelete()
        assert await first_frame(self.token.key) is None


class InTransactionTestCase(TransactionTestCase):
    async def test_user_of_the_test_is_in(self):
        assert await first_frame(await new_token("grace")) == "hello grace"


@pytest.fixture
async def _no_connection_left():
    """Under pytest-asyncio, async ORM calls have a thread of their own, whose connection stays."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_connection_left")
async def test_user_of_a_pytest_test_is_in():
    assert await first_frame(await new_token("grace")) == "hello grace"


async def new_token(username: str) -> str:
    user = await User.objects.acreate(username=username)
    return (await Token.objects.acreate(user=user)).key


async def first_frame(token: str) -> str | None:
    """What the application says to a socket with this token; None if it is refused."""
    headers = [(b"authorization", f"Token {token}".encode())]
    communicator = WebsocketCommunicator(TokenAuthMiddlewareStack(greet), "/", headers=headers)
    connected, _ = await communicator.connect()
    if not connected:
        return None
    try:
        return await communicator.receive_from()
    finally:
        await communicator.disconnect()


# Not a consumer of Channels: told of a disconnect by this communicator, it closes the connection
# that holds the transaction of a TestCase.
async def greet(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"hello {scope['user']}"})
    assert (await receive())["type"] == "websocket.disconnect"
