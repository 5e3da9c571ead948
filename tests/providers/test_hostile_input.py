"""Hostile requests: each gets the documented answer, revokes nothing and puts nothing in a log."""

import base64
import json
import logging
import random
import time

import pytest

from channels_token_auth.conf.identity_providers import ProviderEndpoint
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.providers.receiving import receive
from channels_token_auth.providers.tokens import read_logout
from channels_token_auth.verification.denylist import CacheUnavailable, Denylist
from channels_token_auth.views import backchannel_logout
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, pem, rsa_keys, signed_by_hand
from tests.providers.signing import (
    AUDIENCE,
    ISSUER,
    PUBLIC,
    access_token,
    event_claims,
    form,
    logout_claims,
    now,
    outcome,
    push,
    signed,
)
from tests.verification.odd_caches import Away, Deaf, cache

PATH = "/auth/backchannel-logout/"
CANARY = "c4n4ry"


def unsigned(claims, algorithm="none"):
    head = {"alg": algorithm, "typ": "logout+jwt"}
    parts = (json.dumps(each).encode() for each in (head, claims))
    return b".".join(map(base64.urlsafe_b64encode, parts)).replace(b"=", b"").decode() + "."


def id_token():
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": CANARY, "nonce": CANARY}
    return claims | {"iat": now(), "exp": now() + 60, "jti": CANARY, "sid": CANARY}


HOSTILE = {
    "alg none": lambda: unsigned(logout_claims(sid=CANARY)),
    "alg NONE": lambda: unsigned(logout_claims(sid=CANARY), "NONE"),
    "no signature": lambda: signed(logout_claims(sid=CANARY)).rpartition(".")[0] + ".",
    "public key as HMAC secret": lambda: signed_by_hand(
        pem(PUBLIC), logout_claims(sid=CANARY), {"typ": "logout+jwt"}
    ),
    "another key": lambda: signed(logout_claims(sid=CANARY), key=rsa_keys("thief")[0]),
    "own key in the header": lambda: signed(
        logout_claims(sid=CANARY), key=rsa_keys("thief")[0], jwk=jwk(rsa_keys("thief")[1])
    ),
    "critical header": lambda: signed(logout_claims(sid=CANARY), crit=["b64"], b64=True),
    "foreign issuer": lambda: signed(logout_claims(iss=f"https://{CANARY}.test")),
    "issuer with a slash": lambda: signed(logout_claims(iss=f"{ISSUER}/")),
    "foreign audience": lambda: signed(logout_claims(aud=CANARY)),
    "too old": lambda: signed(logout_claims(sid=CANARY, iat=now() - 600, exp=now() - 480)),
    "from the future": lambda: signed(logout_claims(iat=now() + 600, exp=now() + 720)),
    "infinite": lambda: signed(logout_claims(exp=float("inf"))),
    "not a number": lambda: signed(logout_claims(iat=float("nan"))),
    "without events": lambda: signed(logout_claims(events=..., sid=CANARY)),
    "with a nonce": lambda: signed(logout_claims(nonce=CANARY)),
    "ID token": lambda: signed(id_token(), "JWT"),
    "ID token of the right type": lambda: signed(id_token()),
    "access token": lambda: signed(logout_claims(aud="api"), "at+jwt"),
    "deeply nested": lambda: signed(logout_claims(events=nested(500))),
    "control character": lambda: signed(logout_claims(sid=f"{CANARY}\n")),
    "encrypted": lambda: f"{CANARY}.a.b.c.d",
}


def nested(depth):
    return {"a": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.asvs("9.1.1", "9.1.2", "9.2.1", "9.2.2", "10.5.5", "13.2.1")
def test_hostile_token_is_rejected_with_400_without_a_trace_of_its_values(
    provider, revocations, caplog, token
):
    caplog.set_level(logging.DEBUG)
    raw = token()
    answer = provider.post(PATH, **form(raw))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert revocations == []
    seen = caplog.text + answer.content.decode() + str(answer.headers)
    assert CANARY not in seen
    assert raw[:-1] not in seen


def test_accepted_token_leaves_no_trace_of_its_values(provider, ada, caplog):
    caplog.set_level(logging.DEBUG)
    raw = signed(logout_claims(sub=str(ada.pk), sid=CANARY))
    assert provider.post(PATH, **form(raw)).status_code == 200
    assert raw not in caplog.text


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (PATH, form("a" * 1_000_000)),
        ("/auth/security-events/", push("a" * 1_000_000)),
        (
            "/auth/global-token-revocation/",
            {
                "data": "a" * 1_000_000,
                "content_type": "application/json",
                "headers": {"Authorization": "Bearer a.b.c"},
            },
        ),
    ],
)
def test_body_of_a_megabyte_is_answered_with_413(provider, revocations, path, request_):
    assert provider.post(path, **request_).status_code == 413
    assert revocations == []


def test_body_of_unknown_length_is_not_read_further_than_the_bound(rf):
    class Endless:
        taken = 0

        def read(self, size=-1):
            assert size >= 0
            self.taken += size
            return b"a" * size

    request = rf.post(PATH, content_type="application/x-www-form-urlencoded")
    request.META["CONTENT_LENGTH"] = ""
    request._stream = Endless()
    assert backchannel_logout(request).status_code == 413
    assert request._stream.taken < 100_000


def test_token_is_accepted_once(provider, ada, refused):
    request = form(signed(logout_claims(sub=str(ada.pk))))
    assert [provider.post(PATH, **request).status_code for _ in range(2)] == [200, 400]
    assert [each.detail.slug for each in refused] == ["replayed"]


def test_ids_of_two_kinds_of_token_are_not_mistaken_for_each_other(provider, ada):
    logout, event = logout_claims(jti="same"), event_claims("urn:test", jti="same")
    assert provider.post(PATH, **form(signed(logout))).status_code == 200
    pushed = push(signed(event, "secevent+jwt"))
    assert provider.post("/auth/security-events/", **pushed).status_code == 202


@pytest.fixture
def key_server(configure):
    with jwks_server({"keys": [jwk(PUBLIC, kid="first")]}) as server:
        configure(KEY=..., JWKS_URL=server.url)
        yield server


def test_key_server_that_hangs_is_answered_with_503(provider, key_server, site, revocations):
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {"VERIFY_TIMEOUT": 0.2}
    key_server.is_open.clear()
    began = time.monotonic()
    answer = provider.post(PATH, **form(signed(logout_claims())))
    assert time.monotonic() - began < 20  # the server never answers
    assert (answer.status_code, answer.json()) == (503, {"error": "unavailable"})
    assert 0 < int(answer["Retry-After"]) <= 10
    assert revocations == []


def test_retry_succeeds_when_the_keys_can_be_fetched_again(provider, key_server, ada, steady):
    token, request = access_token(ada), form(signed(logout_claims(sub=str(ada.pk))))
    key_server.status = 500
    assert provider.post(PATH, **request).status_code == 503
    key_server.status = 200
    steady.now += 11
    assert provider.post(PATH, **request).status_code == 200
    assert outcome(token) == "token_revoked"


def test_rotated_key_is_fetched_at_most_every_ten_seconds(provider, key_server, steady):
    assert provider.post(PATH, **form(signed(logout_claims()))).status_code == 200
    private, public = rsa_keys("rotated")
    key_server.document = {"keys": [jwk(PUBLIC, kid="first"), jwk(public, kid="second")]}
    request = form(signed(logout_claims(), key=private, kid="second"))
    answer = provider.post(PATH, **request)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    steady.now += 11
    assert provider.post(PATH, **request).status_code == 200
    assert len(key_server.asked) == 2


def test_key_that_is_not_published_is_rejected_once_the_keys_are_fetched(provider, key_server):
    token = signed(logout_claims(), key=rsa_keys("thief")[0], kid="thief")
    assert provider.post(PATH, **form(token)).status_code == 400


def test_foreign_issuer_does_not_have_keys_fetched(provider, key_server):
    token = signed(logout_claims(iss="https://other.test"), kid="other")
    assert provider.post(PATH, **form(token)).status_code == 400
    assert key_server.asked == []


@pytest.mark.parametrize("kind", [Away, Deaf])
def test_cache_that_fails_is_answered_with_503(provider, site, kind, revocations):
    site.CACHES = cache(kind)
    answer = provider.post(PATH, **form(signed(logout_claims())))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert revocations == []


def test_retry_succeeds_after_the_revocation_itself_has_failed(
    provider, ada, site, monkeypatch, transactional_db
):
    def fail(*_, **__):
        raise CacheUnavailable

    token, request = access_token(ada), form(signed(logout_claims(sub=str(ada.pk), sid=...)))
    with monkeypatch.context() as patch:
        patch.setattr(Denylist, "deny_user", fail)
        assert provider.post(PATH, **request).status_code == 503
    assert provider.post(PATH, **request).status_code == 200
    assert outcome(token) == "token_revoked"


def test_rejected_requests_count_and_a_valid_one_is_never_answered_with_429(provider, site, ada):
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {"LIMITS": {"FAILURES": "3/min"}}
    answers = [provider.post(PATH, **form(CANARY)) for _ in range(5)]
    assert [each.status_code for each in answers] == [400, 400, 400, 429, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    request = form(signed(logout_claims(sub=str(ada.pk))))
    assert [provider.post(PATH, **request).status_code for _ in range(2)] == [200, 400]
    wrong = form(signed(logout_claims(aud="other")))
    assert provider.post(PATH, **wrong).status_code == 400


def test_accepted_requests_do_not_count(provider, site):
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {"LIMITS": {"FAILURES": "1/min"}}
    answers = [provider.post(PATH, **form(signed(logout_claims()))) for _ in range(3)]
    assert [each.status_code for each in answers] == [200] * 3
    assert provider.post(PATH, **form(CANARY)).status_code == 400


FUZZING = [pytest.mark.slow, pytest.mark.measured]


@pytest.mark.parametrize("number", [2_000, pytest.param(100_000, marks=FUZZING)])
def test_random_tokens_are_rejected(revocations, number):
    chance = random.Random(20)
    alphabet = 'ABCabc019-_.{}":,é\x00 '
    parts = signed(logout_claims()).split(".")

    def token():
        if chance.random() < 0.5:
            return "".join(chance.choices(alphabet, k=chance.randrange(60)))
        changed = list(parts)
        which = chance.randrange(3)
        at = chance.randrange(len(changed[which]))
        other = chance.choice([each for each in alphabet if each != changed[which][at]])
        changed[which] = changed[which][:at] + other + changed[which][at + 1 :]
        return ".".join(changed)

    def read(provider, claims):
        return read_logout(claims, issuer=ISSUER, audience=[AUDIENCE])

    def outcome_of(raw):
        try:
            receive(raw, ProviderEndpoint.BACKCHANNEL_LOGOUT, read)
        except TokenAuthError as error:
            return error.code.value
        return "accepted"

    outcomes = {outcome_of(raw) for raw in (token() for _ in range(number))}
    assert outcomes == {"token_invalid"}
    assert revocations == []


def test_random_bodies_are_answered_with_400(provider, revocations):
    chance = random.Random(20)
    bodies = [b"logout_token=" * chance.randrange(2) + chance.randbytes(50) for _ in range(500)]
    statuses = {
        provider.post(path, data=body, content_type=kind).status_code
        for body in bodies
        for path, kind in [
            (PATH, "application/x-www-form-urlencoded"),
            ("/auth/security-events/", "application/secevent+jwt"),
        ]
    }
    assert statuses <= {400, 429}
    assert revocations == []
