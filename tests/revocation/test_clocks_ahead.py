"""Tokens whose issuer's clock is ahead: revoked like any other, with their sockets."""

import time

import jwt
import pytest
from asgiref.sync import sync_to_async

from channels_token_auth import revoke_user

pytestmark = pytest.mark.database
SECRET = "k" * 32
LEEWAY = 60


@pytest.fixture(autouse=True)
def jwts(site):
    options = {"algorithms": ["HS256"], "key": SECRET, "leeway": LEEWAY}
    backend = "channels_token_auth.backends.jwt.JWTBackend"
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [{"BACKEND": backend, "OPTIONS": options}],
        "REFUSAL": "close",
    }


def token_of(user, ahead):
    now = int(time.time())
    claims = {"sub": str(user.pk), "iat": now + ahead, "exp": now + 600, "jti": f"ahead {ahead}"}
    return jwt.encode(claims, SECRET, "HS256")


@pytest.mark.parametrize("ahead", [1, 5, 50])
async def test_token_from_the_future_is_denied_with_all_of_its_users(sockets, ada, ahead):
    token = token_of(ada, ahead)
    socket = await sockets(token, scheme="Bearer")
    await sync_to_async(revoke_user)(ada)
    assert await socket.closes() == 4410
    assert await (await sockets(token, scheme="Bearer")).closes() == 4410
