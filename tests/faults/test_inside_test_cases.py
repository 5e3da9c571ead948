"""A site's own tests may log in a user that they have made, in every kind of test case."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from rest_framework.authtoken.models import Token

from channels_token_auth import arevoke_user
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.revocation.on_commit import is_ours
from channels_token_auth.testing import (
    TokenWebsocketCommunicator,
    fake_tokens,
    publish_revocations,
)

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
    """Return the application's first frame to a socket with this token; None if it is refused."""
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


class Closing(TestCase):
    """Whatever ends a token closes its socket, although nothing is ever committed."""

    @classmethod
    def setUpTestData(cls):
        cls.user = User.objects.create_user("ada", password="pw")
        cls.token = Token.objects.create(user=cls.user)

    async def opened(self, **given):
        given = given or {"token": self.token.key}
        client = TokenWebsocketCommunicator(TokenAuthMiddlewareStack(greet), "/", **given)
        assert (await client.connect())[0]
        await client.receive_from()
        return client

    async def test_deleted_token_closes(self):
        client = await self.opened()
        await self.token.adelete()
        await client.wait()
        assert client.close_code == 4410

    async def test_next_revocation_of_the_same_test_closes_too(self):
        for _ in range(2):
            client = await self.opened()
            await arevoke_user(self.user)
            await client.wait()
            assert client.close_code == 4410
            self.token = await Token.objects.acreate(user=self.user)

    async def test_rotation_closes_with_4419(self):
        client = await self.opened()

        @transaction.atomic
        def rotate():
            Token.objects.all().delete()
            Token.objects.create(user=self.user)

        await sync_to_async(rotate)()
        await client.wait()
        assert client.close_code == 4419

    async def test_rolled_back_revocation_closes_nothing(self):
        client = await self.opened()

        def roll_back():
            with transaction.atomic():
                Token.objects.all().delete()
                transaction.set_rollback(True)

        await sync_to_async(roll_back)()
        assert await client.receive_nothing()
        await client.disconnect()

    async def test_changed_password_closes(self):
        client = await self.opened()
        self.user.set_password("another")
        await self.user.asave()
        await client.wait()
        assert client.close_code == 4419

    async def test_fake_token_closes(self):
        with fake_tokens():
            client = await self.opened(user=self.user)
            await arevoke_user(self.user)
            await client.wait()
            assert client.close_code == 4410

    async def test_token_of_the_test_itself_is_revoked_and_not_replaced(self):
        user = await User.objects.acreate(username="grace")
        for _ in range(2):
            token = await Token.objects.acreate(user=user)
            client = await self.opened(token=token.key)
            await token.adelete()
            await client.wait()
            assert client.close_code == 4410

    async def test_captured_commit_closes_for_any_client(self):
        self.token = await Token.objects.acreate(user=await User.objects.acreate(username="grace"))
        client = await self.opened()

        def delete():
            with self.captureOnCommitCallbacks(execute=True):
                Token.objects.all().delete()

        await sync_to_async(delete)()
        async with asyncio.timeout(60):
            while client.close_code is None:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        assert client.close_code == 4410
        await client.wait()


class InsideAView(TestCase):
    def test_nothing_is_published_in_an_open_block(self):
        user = User.objects.create(username="ada")
        with transaction.atomic():
            Token.objects.create(user=user).delete()
            publish_revocations()
            assert any(map(is_ours, (call for _, call, *_ in connection.run_on_commit)))
        publish_revocations()
        assert not any(map(is_ours, (call for _, call, *_ in connection.run_on_commit)))
