"""Under ASGI, endpoints verify tokens in the threads of handshakes, which keep connections."""

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.core.handlers.asgi import ASGIHandler
from django.db.backends.signals import connection_created
from rest_framework.authtoken.models import Token

from channels_token_auth.verification import test_mode
from channels_token_auth.verification.lanes import lanes

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "channels_token_auth.backends.drf.DRFTokenBackend"
REQUESTS = 4


@pytest.fixture(autouse=True)
def site(settings, monkeypatch):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = []
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": BACKEND}]}
    monkeypatch.setattr(test_mode, "forced", False)  # as a running site
    yield
    lanes.end()


@pytest.fixture
def opened():
    """The database connections that were opened."""
    found = []
    receiver = lambda connection, **_: found.append(connection)  # noqa: E731
    connection_created.connect(receiver)
    yield found
    connection_created.disconnect(receiver)


@sync_to_async
def token():
    return Token.objects.create(user=get_user_model().objects.create_user("ada")).key


async def ask(key):
    """Return the status of a request to Django's own handler: a test client has one thread."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/auth/check/",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("203.0.113.1", 1234),
    }
    server = ApplicationCommunicator(ASGIHandler(), scope)
    await server.send_input({"type": "http.request", "body": b"", "more_body": False})
    status = (await server.receive_output())["status"]
    await server.receive_output()
    await server.wait()
    return status


async def test_requests_with_a_token_share_one_connection(opened):
    key = await token()
    opened.clear()
    answers = [await ask(key) for _ in range(REQUESTS)]
    assert answers == [200] * REQUESTS
    assert len(opened) <= 1


async def test_bad_tokens_are_refused_there_too(opened):
    await token()
    opened.clear()
    answers = [await ask("0" * 40) for _ in range(REQUESTS)]
    assert answers == [401] * REQUESTS
    assert len(opened) <= 1
