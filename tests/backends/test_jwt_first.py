"""The first JWT that a process sees: its keys are fetched while the client waits."""

import time

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import AsyncClient

from channels_token_auth import revoke_token
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, rsa_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server():
    with jwks_server({"keys": [jwk(rsa_keys()[1], kid="1")]}) as running:
        yield running


@pytest.fixture(autouse=True)
def site(settings, server):
    """A site whose process has fetched no keys yet."""
    settings.ROOT_URLCONF = "tests.views.urls"
    options = {"algorithms": ["RS256"], "jwks_url": server.url}
    backend = "channels_token_auth.backends.jwt.JWTBackend"
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": backend, "OPTIONS": options}]}
    yield settings
    cache.clear()


@pytest.fixture
def token():
    ada = get_user_model().objects.create(username="ada")
    now = int(time.time())
    claims = {"sub": str(ada.pk), "iat": now, "exp": now + 600, "jti": "a1"}
    return jwt.encode(claims, rsa_keys()[0], "RS256", headers={"kid": "1"})


async def accepting(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def connect(token, **options):
    application = TokenAuthMiddlewareStack(accepting, **options)
    return TokenWebsocketCommunicator(application, "/", token=token).connect()


async def test_handshake_waits_for_the_keys_and_is_admitted(token):
    assert (await connect(token))[0] is True


async def test_handshake_whose_keys_do_not_come_in_time_is_unavailable(token, server):
    server.is_open.clear()
    assert await connect(token, verify_timeout=0.3) == (False, 4503)


async def test_endpoint_waits_for_the_keys(token):
    headers = {"Authorization": f"Bearer {token}"}
    assert (await AsyncClient().get("/auth/check/", headers=headers)).status_code == 200


async def test_revocation_of_a_token_waits_for_the_keys(token):
    await sync_to_async(revoke_token)(token)
    assert await connect(token) == (False, 4410)
