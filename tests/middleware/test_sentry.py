"""Sentry's own middleware around ours: no event of it holds a token."""

import json

import pytest
import sentry_sdk
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.transport import Transport

from channels_token_auth.middleware import TokenAuthMiddleware
from tests.connection.server import CONNECT, Server, scope
from tests.middleware.test_scopes import BAD, GOOD, GOODBYE, LOCATIONS, accepting, presenting

# What most sites set, although newer versions have another name for it.
pytestmark = pytest.mark.filterwarnings("ignore:The send_default_pii option is deprecated")

# Its integrations patch Django for good, and then slow down each later test of the process. None of
# these tests needs one.
UNPATCHED = {"default_integrations": False, "auto_enabling_integrations": False}


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": LOCATIONS,
    }


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self):
        super().__init__()
        self.events = []

    def capture_envelope(self, envelope):
        self.events += [json.dumps(item.payload.json) for item in envelope.items]


@pytest.fixture
def sent():
    """Everything that Sentry would send, with every personal detail and every frame's locals."""
    kept = Kept()
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        transport=kept,
        traces_sample_rate=1.0,
        send_default_pii=True,
        **UNPATCHED,
    )
    yield kept.events
    sentry_sdk.get_client().close()
    sentry_sdk.init(**UNPATCHED)


async def failing(scope, receive, send):
    await receive()
    raise RuntimeError("a bug of the site's")


@pytest.mark.parametrize("application", [accepting, failing])
@pytest.mark.parametrize("token", [GOOD, BAD])
@pytest.mark.parametrize("way", presenting(GOOD))
@pytest.mark.asvs("14.2.3")
async def test_sentry_reports_no_token(way, token, application, sent):
    server = Server(CONNECT, GOODBYE)
    reporter = SentryAsgiMiddleware(TokenAuthMiddleware(application))
    given = scope(**presenting(token)[way], server=("127.0.0.1", 80), scheme="ws")
    try:
        await reporter(given, server.receive, server.send)
    except RuntimeError:
        assert any("a bug of the site" in event for event in sent)
    sentry_sdk.flush()
    assert any('"query_string"' in event for event in sent)
    assert not [event for event in sent if "canary" in event]
