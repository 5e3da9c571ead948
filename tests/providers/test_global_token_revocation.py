"""Okta's Universal Logout: draft-parecki-oauth-global-token-revocation."""

import json

import pytest
from django.contrib.auth.models import User

from tests.providers.signing import (
    ISSUER,
    access_token,
    logout_claims,
    now,
    outcome,
    request_claims,
    signed,
)

PATH = "/auth/global-token-revocation/"
TYPE = "global-token-revocation+jwt"


def asked(provider, subject, token=None, **given):
    body = subject if isinstance(subject, str) else json.dumps({"sub_id": subject})
    bearer = signed(request_claims(), TYPE) if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"}
    options = {"content_type": "application/json", "headers": headers} | given
    return provider.post(PATH, data=body, **options)


def iss_sub(user, issuer=ISSUER):
    return {"format": "iss_sub", "iss": issuer, "sub": str(user.pk)}


@pytest.mark.database
def test_all_tokens_of_the_user_are_revoked(provider, ada, bob):
    mine, others = [access_token(ada, "s1"), access_token(ada, "s2")], access_token(bob)
    answer = asked(provider, iss_sub(ada))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"] == "no-store"
    assert [outcome(each) for each in mine] == ["token_revoked"] * 2
    assert outcome(others) == "accepted"


@pytest.mark.database
def test_user_is_named_by_email(provider, configure, ada):
    configure(USER="tests.providers.users.by_email")
    token = access_token(ada)
    assert asked(provider, {"format": "email", "email": ada.email}).status_code == 204
    assert outcome(token) == "token_revoked"


def test_all_tokens_are_revoked_also_if_the_subject_names_a_session(provider, ada):
    tokens = [access_token(ada, "s1"), access_token(ada, "s2")]
    session = {"format": "opaque", "id": "s1"}
    subject = {"format": "complex", "user": iss_sub(ada), "session": session}
    assert asked(provider, subject).status_code == 204
    assert [outcome(each) for each in tokens] == ["token_revoked"] * 2


def test_earlier_name_of_the_subject_is_read_too(provider, ada):
    token = access_token(ada)
    assert asked(provider, json.dumps({"subject": iss_sub(ada)})).status_code == 204
    assert outcome(token) == "token_revoked"


@pytest.mark.database
def test_second_request_about_the_same_user_succeeds_too(provider, ada):
    assert [asked(provider, iss_sub(ada)).status_code for _ in range(2)] == [204, 204]


@pytest.mark.database
def test_unknown_user_is_not_found(provider, revocations):
    assert asked(provider, {"format": "opaque", "id": "999"}).status_code == 404
    assert revocations == []


def test_user_of_another_issuer_is_forbidden(provider, ada, revocations):
    answer = asked(provider, iss_sub(ada, "https://other.test"))
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert revocations == []


BODIES = {
    "no JSON": "c4n4ry",
    "a list": "[]",
    "no subject": "{}",
    "subject without a format": '{"sub_id": {"sub": "1"}}',
    "one token": json.dumps({"sub_id": {"format": "jwt_id", "iss": ISSUER, "jti": "b"}}),
    "unknown format": '{"sub_id": {"format": "saml_assertion_id", "assertion_id": "b"}}',
    "format by which the site finds nobody": '{"sub_id": {"format": "email", "email": "a@b.test"}}',
    "session without a user": '{"sub_id": {"session": {"format": "opaque", "id": "s1"}}}',
    "subject is a text": '{"sub_id": "1"}',
    "nested too deeply": "[" * 50_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_malformed_body_is_answered_with_400(provider, revocations, body):
    answer = asked(provider, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert revocations == []


def test_body_of_another_type_is_answered_with_400(provider, ada):
    assert asked(provider, iss_sub(ada), content_type="text/plain").status_code == 400


TOKENS = {
    "no JWT": lambda: "c4n4ry",
    "empty": lambda: "",
    "another type": lambda: signed(request_claims(), "JWT"),
    "logout token": lambda: signed(logout_claims()),
    "another audience": lambda: signed(request_claims(aud="other"), TYPE),
    "another issuer": lambda: signed(request_claims(iss="https://b.test"), TYPE),
    "without exp": lambda: signed(request_claims(exp=...), TYPE),
    "without jti": lambda: signed(request_claims(jti=...), TYPE),
    "expired": lambda: signed(request_claims(exp=now() - 61), TYPE),
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_request_without_a_good_token_is_answered_with_401(provider, ada, revocations, token):
    answer = asked(provider, iss_sub(ada), token())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert revocations == []


def test_request_without_a_header_is_answered_with_401(provider, ada):
    answer = provider.post(PATH, data={"sub_id": iss_sub(ada)}, content_type="application/json")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


USERS_OWN = {
    "ID token": lambda user: signed(request_claims(sub=str(user.pk), nonce="n"), "JWT"),
    "token without a type": lambda user: signed(request_claims(sub=str(user.pk)), ...),
    "access token": lambda user: access_token(user, aud="web"),
}


@pytest.mark.parametrize("token", USERS_OWN.values(), ids=USERS_OWN)
def test_user_s_own_token_revokes_nobody_else_s_even_where_other_types_may_be_omitted(
    provider, configure, bob, revocations, token
):
    configure(REQUIRE_TYP=False)
    user = User.objects.create_user("mallory")
    assert asked(provider, iss_sub(bob), token(user)).status_code == 401
    assert revocations == []


def test_token_is_accepted_once_whatever_the_body_is(provider, ada, bob):
    token = signed(request_claims(), TYPE)
    statuses = [asked(provider, iss_sub(each), token).status_code for each in (ada, bob)]
    assert statuses == [204, 401]
