"""A site with some backends, in memory: its visitors over WebSocket, its tickets over HTTP."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.extraction import PROTOCOL
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import TokenWebsocketCommunicator
from tests.matrix.kind import Kind

__all__ = ["Visit", "asking", "site", "ticket_for", "visit"]

DEADLINE = 30
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """The result of a handshake: the consumer's scope, or the code and the slug of the close."""

    scope: dict[str, Any] | None = None
    code: int | None = None
    slug: str | None = None


@contextmanager
def site(*kinds: Kind, cookie: str | None = None) -> Iterator[None]:
    """A site that accepts the tokens of these kinds, wherever they may stand."""
    with ExitStack() as stack:
        for kind in kinds:
            stack.enter_context(kind.running())
        names = {name: value for kind in kinds for name, value in kind.settings.items()}
        backends = [{"BACKEND": kind.path, "OPTIONS": kind.options} for kind in kinds]
        names["CHANNELS_TOKEN_AUTH"] = {
            "BACKENDS": backends,
            "LOCATIONS": list(Location),
            "COOKIE_NAME": cookie or kinds[0].cookie,
            "REFUSAL": "close",
        }
        urls = "channels_token_auth.urls"
        stack.enter_context(override_settings(**names, ROOT_URLCONF=urls, MIDDLEWARE=MIDDLEWARE))
        yield


def visit(token: str, location: Location) -> Visit:
    """Open a socket with a token. In this thread, whose transaction the test sees through."""
    return async_to_sync(_visit)(token, location)


async def _visit(token: str, location: Location) -> Visit:
    scopes: list[dict[str, Any]] = []

    async def application(scope, receive, send):
        scopes.append(scope)
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    visitor = TokenWebsocketCommunicator(
        TokenAuthMiddlewareStack(application),
        "/",
        token=token,
        location=location,
        subprotocols=[PROTOCOL],
        origin="http://testserver",
    )
    is_connected, _ = await visitor.connect(DEADLINE)
    if is_connected:
        await visitor.disconnect(timeout=DEADLINE)
        return Visit(scope=scopes[0])
    close = await visitor.receive_output(DEADLINE)
    assert not scopes
    return Visit(code=close["code"], slug=close["reason"])


def ticket_for(token: str, kind: Kind) -> tuple[int, str | None]:
    """The status of the answer to who asks for a ticket, and the ticket."""
    client = Client()
    if Location.HEADER in kind.locations:
        answer = client.post("/ticket/", headers={"Authorization": f"Bearer {token}"})
    else:
        client.cookies[kind.cookie] = token
        answer = client.post("/ticket/")
    return answer.status_code, answer.json().get("ticket")


@contextmanager
def asking(most: int) -> Iterator[None]:
    """Inside it, the database is asked at most so many questions, and told nothing."""
    with CaptureQueriesContext(connection) as captured:
        yield
    queries: Sequence[str] = [query["sql"] for query in captured.captured_queries]
    assert all(query.startswith("SELECT") for query in queries), queries
    assert len(queries) <= most, queries
