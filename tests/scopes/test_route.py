"""Scopes that a route requires of every socket."""

import pytest
from django.contrib.auth.models import User

from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens
from tests.connection.server import CONNECT, Server, scope

ADA = User(pk=7, username="ada")


@pytest.fixture(autouse=True)
def tokens():
    with fake_tokens({"none": ADA}) as tokens:
        tokens.issue(ADA, token="reader", scopes=["chat:read"])
        tokens.issue(ADA, token="both", scopes=["chat:read", "chat:write", "more"])
        yield tokens


async def connect(*required, token, location="header", **overrides):
    """Open a socket, and return True or the code of its refusal."""

    async def accept(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    site = TokenAuthMiddlewareStack(accept, scopes=required, **overrides)
    client = TokenWebsocketCommunicator(site, "/", token=token, location=location)
    accepted, code = await client.connect()
    await client.disconnect()
    return accepted or code


@pytest.mark.parametrize("location", ["header", "subprotocol", "first_message"])
@pytest.mark.parametrize(
    ("required", "token", "outcome"),
    [
        (["chat:read"], "reader", True),
        (["chat:read", "chat:write"], "both", True),
        (["chat:read", "chat:write"], "reader", 4403),
        (["chat"], "both", 4403),
        (["chat:read"], "none", 4403),
        (["chat:read"], "wrong", 4401),
        ([], "none", True),
    ],
)
@pytest.mark.asvs("8.3.1")
async def test_a_route_lets_in_who_has_all_its_scopes(location, required, token, outcome):
    assert await connect(*required, token=token, location=location) == outcome


async def test_a_route_has_its_own_scopes_in_the_place_of_the_sites(tokens, settings):
    settings.CHANNELS_TOKEN_AUTH |= {"SCOPES": ["chat:write"]}
    assert await connect("chat:read", token="reader") is True
    assert await connect(token="none") is True


async def test_where_scopes_are_required_nobody_is_anonymous():
    assert await connect(token=None, anonymous=True) is True
    assert await connect("chat:read", token=None, anonymous=True) == 4401


@pytest.mark.asvs("10.3.2")
async def test_a_token_that_lacks_a_scope_gets_the_reason_over_http():
    server = Server(CONNECT)
    opened = scope(
        headers=[(b"authorization", b"Bearer none")], extensions={"websocket.http.response": {}}
    )
    site = TokenAuthMiddlewareStack(None, scopes=["chat:read"])
    await site(opened, server.receive, server.send)
    assert server.sent[0]["status"] == 403
    assert (b"www-authenticate", b'Bearer error="insufficient_scope"') in server.sent[0]["headers"]
