"""Opaque tokens, by introspection: a logout at the provider ends those of its session."""

import pytest

from tests.backends.introspection_server import introspection_server
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk
from tests.docs.test_identity_provider_pages import settings_of
from tests.providers.conftest import PROVIDER
from tests.providers.signing import ISSUER, PUBLIC, form, logout_claims, now, outcome, signed

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


def answer(user, sid, **changes):
    claims = {"iat": now(), "exp": now() + 600, "iss": ISSUER, "sub": str(user.pk), "sid": sid}
    return {"active": True} | {k: v for k, v in (claims | changes).items() if v is not ...}


def test_logout_ends_the_tokens_of_its_session_although_the_server_still_accepts_them(
    server, provider, ada
):
    server.claims = {"opaque-one": answer(ada, "s1"), "opaque-two": answer(ada, "s2")}
    assert (outcome("opaque-one"), outcome("opaque-two")) == ("accepted", "accepted")
    token = signed(logout_claims(sub=str(ada.pk), sid="s1"))
    assert provider.post(PATH, **form(token)).status_code == 200
    assert (outcome("opaque-one"), outcome("opaque-two")) == ("token_revoked", "accepted")


@pytest.fixture
def unnamed(site, server):
    """The server leaves out what is optional (RFC 7662 §2.2), so that no `issuer` is required."""
    (backend,) = site.CHANNELS_TOKEN_AUTH["BACKENDS"]
    options = {k: v for k, v in backend["OPTIONS"].items() if k != "issuer"}
    backends = [backend | {"OPTIONS": options}]
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {"BACKENDS": backends}
    return server


@pytest.mark.parametrize("missing", ["iss", "iat", "exp"])
def test_logout_ends_tokens_whose_server_leaves_out_optional_claims(
    unnamed, provider, ada, missing
):
    unnamed.claims = {
        "opaque-one": answer(ada, "s1", **{missing: ...}),
        "opaque-two": answer(ada, "s2", **{missing: ...}),
        "opaque-three": answer(ada, "s1", iss="https://other.test"),
    }
    assert {outcome(each) for each in unnamed.claims} == {"accepted"}
    token = signed(logout_claims(sub=str(ada.pk), sid="s1"))
    assert provider.post(PATH, **form(token)).status_code == 200
    assert [outcome(each) for each in unnamed.claims] == ["token_revoked", "accepted", "accepted"]


def test_answer_without_the_issuer_that_the_site_requires_is_refused(server, ada):
    server.claims = {"opaque": answer(ada, "s1", iss=...)}
    assert outcome("opaque") == "token_invalid"


def test_recipe_of_the_page_ends_a_session_at_a_server_and_a_key_server(
    site, provider, ada, monkeypatch
):
    monkeypatch.setenv("INTROSPECTION_SECRET", "a-secret")
    recipe, issuer = settings_of("others"), "https://sso.example.com"
    with (
        introspection_server() as server,
        jwks_server({"keys": [jwk(PUBLIC, kid="first")]}) as keys,
    ):
        recipe["BACKENDS"][0]["OPTIONS"]["url"] = server.url
        recipe["IDENTITY_PROVIDERS"][0]["JWKS_URL"] = keys.url
        site.CHANNELS_TOKEN_AUTH = recipe
        named = {"iss": issuer, "sub": "ada", "aud": "api"}
        server.claims = {f"opaque-{sid}": answer(ada, sid, **named) for sid in ("s1", "s2")}
        assert [outcome(each) for each in server.claims] == ["accepted", "accepted"]
        token = signed(logout_claims(iss=issuer, sub="ada", sid="s1"))
        assert provider.post(PATH, **form(token)).status_code == 200
        assert [outcome(each) for each in server.claims] == ["token_revoked", "accepted"]
