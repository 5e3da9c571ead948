"""Why a socket was refused reaches the developer, at each moment, and never the client."""

import asyncio
import json

import pytest

from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.observability.events import HandshakeRefused, subscribe
from tests.connection.server import CONNECT, Server, scope, text


@pytest.fixture
def refused():
    seen = []
    end = subscribe(HandshakeRefused, seen.append)
    yield seen
    end()


@pytest.fixture(autouse=True)
def site(settings, transactional_db):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
        "AUTH_TIMEOUT": 0.05,
    }


async def _never(scope, receive, send):
    raise AssertionError("admitted")


async def handshake(*messages, **values):
    server = Server(CONNECT, *messages)
    async with asyncio.timeout(5):
        await TokenAuthMiddleware(_never)(scope(**values), server.receive, server.send)
    return repr(server.sent)


CASES = {
    "origin_not_in_allowed_hosts": {"headers": [(b"origin", b"http://evil.example")]},
    "query_is_off": {"query_string": b"token=c4nary"},
    "authorization_without_scheme": {"headers": [(b"authorization", b"c4nary")]},
    "token_not_recognized": {"headers": [(b"authorization", b"Token c4nary")]},
    "token_unknown": {"headers": [(b"authorization", b"Token " + b"0" * 40)]},
    "ticket_unknown_in_this_process": {"query_string": b"ticket=c4nary"},
}


@pytest.mark.parametrize(("slug", "values"), CASES.items(), ids=CASES)
async def test_refused_handshake_is_explained(slug, values, refused, caplog):
    sent = await handshake(**values)
    assert [each.detail.slug for each in refused] == [slug]
    assert slug not in sent
    assert "c4nary" not in caplog.text


async def test_refused_first_message_is_explained(refused):
    sent = await handshake(text(json.dumps({"type": "auth", "token": "c4nary"})))
    assert [each.detail.slug for each in refused] == ["token_not_recognized"]
    assert "token_not_recognized" not in sent
