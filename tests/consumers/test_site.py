"""In a site: behind the middleware and a router, and in the test cases that sites write."""

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import TestCase
from django.urls import path

from channels_token_auth.consumers import AsyncJsonWebsocketConsumer
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens
from tests.connection.sockets import open_sockets

pytestmark = pytest.mark.database
ADA = User(pk=1, username="ada")
told = []


class Greeter(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.accept()
        room = self.scope["url_route"]["kwargs"]["room"]
        await self.send_json([room, self.scope["user"].username])

    async def disconnect(self, code):
        told.append(code)


class InGroup(Greeter):
    groups = ("greeters",)


application = TokenAuthMiddlewareStack(
    URLRouter([path("<room>/", Greeter.as_asgi()), path("<room>/group/", InGroup.as_asgi())])
)


@pytest.mark.parametrize("where", ["/attic/", "/attic/group/"])
async def test_close_from_outside_ends_the_consumer(where, layer):
    told.clear()
    with fake_tokens():
        communicator = TokenWebsocketCommunicator(application, where, user=ADA)
        assert await communicator.connect() == (True, None)
        assert await communicator.receive_json_from() == ["attic", "ada"]
        for connection in open_sockets():
            connection.close(CloseReason.TOKEN_REVOKED)
        await communicator.wait()
    assert (communicator.close_code, told) == (4410, [4410])
    assert (layer.reading, layer.groups) == (0, {})


class Counter(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json(await User.objects.acount())


class InTestCase(TestCase):
    async def test_the_tests_transaction_outlives_the_consumer(self):
        await User.objects.acreate(username="ada")
        communicator = WebsocketCommunicator(Counter.as_asgi(), "/")
        await communicator.connect()
        for _ in range(2):
            await communicator.send_json_to({})
            assert await communicator.receive_json_from() == 1
        await communicator.disconnect()
        assert await User.objects.acount() == 1
