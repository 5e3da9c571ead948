"""A second middleware around or inside another one is found at once, and named."""

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.urls import path

from channels_token_auth import middleware
from channels_token_auth.middleware import TokenAuthMiddleware, TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens

ADA = User(pk=1, username="ada")


async def application(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def routed(inner):
    return URLRouter([path("other/", application), path("", inner)])


class Subclass(TokenAuthMiddleware):
    """A site's own."""


AROUND = {
    "nothing": lambda inner: inner,
    "a router": routed,
    "two routers": lambda inner: routed(routed(inner)),
    "protocols": lambda inner: ProtocolTypeRouter({"websocket": inner}),
    "origins": AllowedHostsOriginValidator,
    "channels": lambda inner: AuthMiddlewareStack(routed(inner)),
}


@pytest.mark.parametrize("between", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("inner", [TokenAuthMiddlewareStack, Subclass])
def test_second_middleware_is_an_error_when_it_is_built(between, inner):
    application_inside = between(inner(application))
    with pytest.raises(ImproperlyConfigured):
        TokenAuthMiddlewareStack(application_inside)


def hidden(inner):
    """A middleware that is a function, into which nobody can look."""

    async def serve(scope, receive, send):
        await inner(dict(scope), receive, send)

    return serve


def hidden_with_a_receive_of_its_own(inner):
    async def serve(scope, receive, send):
        async def own_receive():
            return await receive()

        await inner(dict(scope), own_receive, send)

    return serve


@pytest.mark.parametrize("hide", [hidden, hidden_with_a_receive_of_its_own])
async def test_hidden_second_middleware_refuses_every_client_and_logs_one_error(
    hide, caplog, monkeypatch
):
    middleware.throttle.reset()
    served = []

    async def never(scope, receive, send):
        served.append(scope)

    nested = TokenAuthMiddlewareStack(hide(TokenAuthMiddlewareStack(never)))
    with fake_tokens({"adas": ADA}):
        for _ in range(2):
            client = TokenWebsocketCommunicator(
                nested, "/", token="adas", subprotocols=["token-auth.v1"]
            )
            assert await client.connect() == (False, 4500)
            await client.wait()
    errors = [each for each in caplog.records if each.levelname == "ERROR"]
    assert (len(errors), served) == (1, [])


async def test_two_routes_with_one_each_work():
    router = URLRouter(
        [
            path("a/", TokenAuthMiddlewareStack(application)),
            path("b/", TokenAuthMiddlewareStack(application, scopes=["write"])),
        ]
    )
    with fake_tokens() as tokens:
        token = tokens.issue(ADA, scopes=["write"])
        for where in ("/a/", "/b/"):
            client = TokenWebsocketCommunicator(router, where, token=token)
            assert await client.connect() == (True, None)
            await client.disconnect()


def test_application_that_contains_itself_is_no_endless_loop():
    class Loop:
        pass

    loop = Loop()
    loop.inner = loop
    TokenAuthMiddlewareStack(loop)
