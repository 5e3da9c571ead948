"""Opaque tokens, by introspection: a logout at the provider ends those of its session."""

import pytest

from tests.backends.introspection_server import introspection_server
from tests.providers.conftest import PROVIDER
from tests.providers.signing import ISSUER, form, logout_claims, now, outcome, signed

BACKEND = "channels_token_auth.backends.introspection.IntrospectionBackend"
PATH = "/auth/backchannel-logout/"


@pytest.fixture
def server(site):
    with introspection_server() as server:
        options = {"url": server.url, "client_id": "api", "client_secret": "s", "issuer": ISSUER}
        site.CHANNELS_TOKEN_AUTH = {
            "BACKENDS": [{"BACKEND": BACKEND, "OPTIONS": options}],
            "IDENTITY_PROVIDERS": [PROVIDER | {"BACKENDS": ["introspection"]}],
        }
        yield server


def answer(user, sid):
    times = {"iat": now(), "exp": now() + 600}
    return {"active": True, "iss": ISSUER, "sub": str(user.pk), "sid": sid, **times}


def test_logout_ends_the_tokens_of_its_session_although_the_server_still_accepts_them(
    server, provider, ada
):
    server.claims = {"opaque-one": answer(ada, "s1"), "opaque-two": answer(ada, "s2")}
    assert (outcome("opaque-one"), outcome("opaque-two")) == ("accepted", "accepted")
    token = signed(logout_claims(sub=str(ada.pk), sid="s1"))
    assert provider.post(PATH, **form(token)).status_code == 200
    assert (outcome("opaque-one"), outcome("opaque-two")) == ("token_revoked", "accepted")
