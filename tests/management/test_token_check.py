"""`manage.py token_check`: the verdict on a token, and what clients would see of it."""

import json
import time

import jwt
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.db import OperationalError

from channels_token_auth import (
    BaseTokenBackend,
    CloseReason,
    Detail,
    TokenAuthError,
    revoke_token,
)
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.core.credentials import Secret
from channels_token_auth.management import terminal
from tests.verification.odd_caches import Remote
from tests.verification.odd_caches import cache as cache_of

DRF = {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}
SESSION = {"BACKEND": "channels_token_auth.backends.session.SessionBackend"}
KEY = "a key of more than thirty-two bytes, for tests"
JWT = {
    "BACKEND": "channels_token_auth.backends.jwt.JWTBackend",
    "OPTIONS": {
        "key": KEY,
        "algorithms": ["HS256"],
        "audience": "web",
        "issuer": "https://sso.example.com",
    },
}


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF]}
    yield settings
    cache.clear()


@pytest.fixture
def check(manage):
    """The exit code and the facts that the command prints of a token, which it never shows."""

    def run(token):
        code, out = manage("token_check", "--json", stdin=f"{token}\n")
        assert token not in out
        return code, json.loads(out.splitlines()[0])

    return run


def encode(user, **claims):
    now = int(time.time())
    default = {"sub": str(user.pk), "iat": now, "exp": now + 60, "jti": "one"}
    default |= {"aud": "web", "iss": "https://sso.example.com", "scope": "chat admin"}
    return jwt.encode(default | claims, KEY, algorithm="HS256")


def test_good_token_is_its_users(check, token):
    code, facts = check(token.key)
    assert code == 0
    assert facts["verdict"] == "accepted"
    assert facts["recognized_by"] == facts["backends"] == ["drf"]
    assert (facts["user"], facts["user_id"], facts["backend"]) == ("ada", str(token.user_id), "drf")
    assert facts["token_id"] == Secret(token.key).digest
    assert (facts["scopes"], facts["expires_at"]) == ([], None)
    assert facts["locations"] == ["first_message", "header", "subprotocol", "ticket"]


def test_scopes_and_expiry_are_shown(site, check, ada):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF, JWT]}
    code, facts = check(encode(ada))
    assert code == 0
    assert (facts["backend"], facts["token_id"]) == ("jwt", "one")
    assert facts["scopes"] == ["admin", "chat"]
    assert facts["expires_at"] > facts["issued_at"]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": 1_000_000_000}, "4419 token_expired"),
        ({"aud": "another"}, "4401 token_invalid"),
        ({"iss": "https://another.example.com"}, "4401 token_invalid"),
        ({"sub": "999"}, "4401 token_invalid"),
    ],
)
def test_refused_token_is_explained(site, check, ada, claims, expected):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF, JWT]}
    exit_code, facts = check(encode(ada, **claims))
    assert (exit_code, facts["recognized_by"]) == (1, ["jwt"])
    assert f"{facts['close_code']} {facts['code']}" == expected
    assert facts["reason"]
    assert facts["remedy"]
    assert facts["browser"].endswith(f" {expected}")
    assert facts["other_clients"].startswith("HTTP 401")


class ExplainingBackend(BaseTokenBackend):
    def authenticate(self, credentials):
        detail = Detail(slug="clock_ahead", remedy="Set the clock.")
        return [TokenAuthError(CloseReason.TOKEN_INVALID, detail=detail) for _ in credentials]

    def revalidate(self, grants):
        return [None for _ in grants]


def test_reason_and_remedy_for_the_developer_are_shown(site, check, db):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": f"{__name__}.ExplainingBackend"}]}
    _, facts = check("x-y-z")
    assert (facts["reason"], facts["remedy"]) == ("clock_ahead", "Set the clock.")


def test_token_that_lacks_a_scope_of_the_site_is_forbidden(site, check, token):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "SCOPES": ["chat"]}
    code, facts = check(token.key)
    assert (code, facts["code"], facts["close_code"]) == (1, "forbidden", 4403)


def test_inactive_user_is_named(check, token):
    token.user.is_active = False
    token.user.save()
    code, facts = check(token.key)
    assert (code, facts["code"], facts["close_code"]) == (1, "user_inactive", 4423)
    assert facts["user"] == "ada"


def test_deleted_token_is_invalid_and_recognized(check, token):
    key = token.key
    token.delete()
    code, facts = check(key)
    assert (code, facts["code"], facts["recognized_by"]) == (1, "token_invalid", ["drf"])


def test_denied_token_is_revoked(transactional_db, site, check, ada):
    site.CACHES = cache_of(Remote)  # the command is another process than the server
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [JWT]}
    token = encode(ada)
    revoke_token(token)
    code, facts = check(token)
    assert (code, facts["code"], facts["close_code"]) == (1, "token_revoked", 4410)


def test_session_key_is_read_as_the_cookie_that_it_is(site, check, ada):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [DRF, SESSION],
        "LOCATIONS": ["cookie"],
        "COOKIE_NAME": "sessionid",
    }
    session = SessionStore()
    session["_auth_user_id"] = str(ada.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = ada.get_session_auth_hash()
    session.create()
    code, facts = check(session.session_key)
    assert (code, facts["backend"], facts["user"]) == (0, "session", "ada")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "token_invalid"),
        ("two words", "malformed"),
        ("a\x00b", "malformed"),
        ("\udcff", "malformed"),
        ("x" * 5000, "malformed"),
    ],
    ids=repr,
)
def test_rubbish_is_refused_and_recognized_by_nobody(db, check, text, code):
    exit_code, facts = check(text)
    assert (exit_code, facts["code"], facts["recognized_by"]) == (1, code, [])


def test_page_of_a_site_that_denies_sees_1006(site, check, db):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "REFUSAL": "deny"}
    _, facts = check("x")
    assert facts["browser"].startswith("HTTP 401")
    assert "1006" in facts["browser"]


def test_store_that_is_unavailable_is_no_verdict_on_the_token(check, token, monkeypatch):
    def fail(*_):
        raise OperationalError

    monkeypatch.setattr(DRFTokenBackend, "authenticate", fail)
    code, facts = check(token.key)
    assert (code, facts["code"], facts["close_code"]) == (1, "unavailable", 4503)


def test_without_json_each_fact_is_a_line(manage, token):
    code, out = manage("token_check", stdin=token.key)
    lines = dict(line.split("  ", 1) for line in out.splitlines())
    assert code == 0
    assert lines["user"].strip() == "ada"
    assert lines["scopes"].strip() == "none"
    assert token.key not in out


@pytest.mark.parametrize("stdin", ["", "\n\n", "one\ntwo\n"])
def test_anything_but_one_token_is_a_wrong_call(manage, stdin):
    assert manage("token_check", stdin=stdin)[0] == terminal.USAGE


@pytest.mark.parametrize("command", [("token_check",), ("token_connect", "/")])
def test_token_as_an_argument_is_refused_and_not_printed(manage, token, command):
    code, out = manage(*command, token.key, stdin=f"{token.key}\n")
    assert code == terminal.USAGE
    assert token.key not in out


def test_list_of_connections_refuses_a_token_in_place_of_its_id(manage, token):
    code, out = manage("token_connections", "--token", token.key)
    assert code == terminal.USAGE
    assert token.key not in out
