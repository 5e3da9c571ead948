"""OpenID Connect Back-Channel Logout 1.0: what a logout token ends, and which are rejected."""

import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from tests.providers.conftest import PROVIDER
from tests.providers.signing import (
    CAEP,
    ISSUER,
    LOGOUT,
    access_token,
    event_claims,
    form,
    logout_claims,
    now,
    outcome,
    signed,
)

PATH = "/auth/backchannel-logout/"


@pytest.mark.database
def test_session_ends_and_another_session_of_the_user_stays(provider, ada):
    ended, other = access_token(ada, "s1"), access_token(ada, "s2")
    answer = provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Cache-Control"] == "no-store"
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


@pytest.mark.database
def test_session_ends_without_the_name_of_its_user(provider, ada):
    ended = access_token(ada, "s1")
    assert provider.post(PATH, **form(signed(logout_claims(sub=...)))).status_code == 200
    assert outcome(ended) == "token_revoked"


@pytest.mark.database
def test_user_without_a_session_ends_all_sessions_of_that_user(provider, ada, bob):
    mine, others = [access_token(ada, "s1"), access_token(ada, "s2")], access_token(bob, "s3")
    claims = logout_claims(sub=str(ada.pk), sid=...)
    assert provider.post(PATH, **form(signed(claims))).status_code == 200
    assert [outcome(each) for each in mine] == ["token_revoked"] * 2
    assert outcome(others) == "accepted"


@pytest.mark.database
def test_session_of_another_user_than_the_named_one_stays(provider, ada, bob):
    token = access_token(bob, "s1")
    answer = provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert (answer.status_code, outcome(token)) == (200, "accepted")


def test_session_id_of_another_issuer_stays(provider, ada, site):
    foreign = "https://other.test"
    jwt = {**site.CHANNELS_TOKEN_AUTH["BACKENDS"][0]}
    jwt["OPTIONS"] = jwt["OPTIONS"] | {"issuer": [ISSUER, foreign]}
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {"BACKENDS": [jwt]}
    token = access_token(ada, "s1", iss=foreign)
    assert provider.post(PATH, **form(signed(logout_claims(sub=...)))).status_code == 200
    assert outcome(token) == "accepted"


@pytest.mark.database
@pytest.mark.parametrize("is_key_of_local_user", [True, False])
def test_session_ends_whose_user_has_no_row_here(provider, ada, site, is_key_of_local_user):
    stateless = {
        "BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend",
        "OPTIONS": {"stateless": True},
    }
    entry = PROVIDER | {"BACKENDS": ["simplejwt"]}
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [stateless], "IDENTITY_PROVIDERS": [entry]}
    sub = str(ada.pk) if is_key_of_local_user else "auth0|7"
    ended, other = service_token(sub, "s1"), service_token(sub, "s2")
    answer = provider.post(PATH, **form(signed(logout_claims(sub=sub, sid="s1"))))
    assert answer.status_code == 200
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


@pytest.mark.parametrize("labels", [["sub"], []])
def test_users_without_a_row_are_reached_by_their_label(provider, site, revocations, labels):
    stateless = {
        "BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend",
        "OPTIONS": {"stateless": True, "labels": labels},
    }
    entry = PROVIDER | {"BACKENDS": ["simplejwt"]}
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [stateless], "IDENTITY_PROVIDERS": [entry]}
    # The numbers of this service's users are not the provider's: `sub` alone names the user.
    ended, other = service_token("7", "s1", sub="9"), service_token("9", "s2", sub="7")
    answer = provider.post(PATH, **form(signed(logout_claims(sub="9", sid=...))))
    assert answer.status_code == 200
    assert outcome(ended) == ("token_revoked" if labels else "accepted")
    assert outcome(other) == "accepted"
    assert bool(revocations) is bool(labels), "without the label, nobody is known here"


def test_session_of_a_user_without_a_row_ends_alone(provider, site):
    stateless = {
        "BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend",
        "OPTIONS": {"stateless": True, "labels": ["sub"]},
    }
    entry = PROVIDER | {"BACKENDS": ["simplejwt"]}
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [stateless], "IDENTITY_PROVIDERS": [entry]}
    ended, other = service_token("7", "s1", sub="9"), service_token("7", "s2", sub="9")
    provider.post(PATH, **form(signed(logout_claims(sub="9", sid="s1"))))
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


def service_token(user_id, sid, **claims):
    token = AccessToken()
    for name, value in {"user_id": user_id, "sid": sid, **claims}.items():
        token[name] = value
    return str(token)


@pytest.mark.database
def test_later_login_survives_a_logout_that_arrives_late(provider, ada):
    claims = logout_claims(sub=str(ada.pk), sid=..., iat=now() - 300)
    old, new = access_token(ada, iat=now() - 300), access_token(ada, iat=now() - 10)
    assert provider.post(PATH, **form(signed(claims))).status_code == 200
    assert (outcome(old), outcome(new)) == ("token_revoked", "accepted")


@pytest.mark.database
def test_user_who_is_unknown_here_is_logged_out_already(provider, revocations):
    assert provider.post(PATH, **form(signed(logout_claims(sub="999")))).status_code == 200
    assert revocations == []


def test_keycloaks_extra_event_does_no_harm(provider, ada):
    events = {LOGOUT: {}, "revoke_offline_access": True}
    token = access_token(ada)
    answer = provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), events=events))))
    assert (answer.status_code, outcome(token)) == (200, "token_revoked")


REJECTED = {
    "not_a_jwt": "c4n4ry",
    "wrong_type": lambda: signed(logout_claims(), "JWT"),
    "missing_claim": lambda: signed(logout_claims(events=...)),
    "missing_claim: exp": lambda: signed(logout_claims(exp=...)),
    "missing_claim: jti": lambda: signed(logout_claims(jti=...)),
    "missing_claim: iat": lambda: signed(logout_claims(iat=...)),
    "missing_claim: aud": lambda: signed(logout_claims(aud=...)),
    "nonce": lambda: signed(logout_claims(nonce="n")),
    "no_subject": lambda: signed(logout_claims(sub=..., sid=...)),
    "no_logout_event": lambda: signed(event_claims(f"{CAEP}session-revoked", exp=now() + 60)),
    "malformed_events": lambda: signed(logout_claims(events=[LOGOUT])),
    "malformed_events: value": lambda: signed(logout_claims(events={LOGOUT: True})),
    "malformed_claim": lambda: signed(logout_claims(sid=5)),
    "malformed_claim: jti": lambda: signed(logout_claims(jti=5)),
    "malformed_time": lambda: signed(logout_claims(iat="now")),
    "expired": lambda: signed(logout_claims(exp=now() - 61)),
    "expired: iat": lambda: signed(logout_claims(iat=now() - 90_000, exp=now() + 60)),
    "not_yet_valid": lambda: signed(logout_claims(iat=now() + 120, exp=now() + 240)),
    "wrong_audience": lambda: signed(logout_claims(aud="other")),
    "foreign_audience": lambda: signed(logout_claims(aud=["web", "other"])),
    "wrong_issuer": lambda: signed(logout_claims(iss="https://other.test")),
}


@pytest.mark.parametrize(("slug", "token"), REJECTED.items(), ids=REJECTED)
@pytest.mark.asvs("10.5.5")
def test_rejected_token_is_answered_with_400_and_revokes_nothing(
    provider, refused, revocations, slug, token
):
    answer = provider.post(PATH, **form(token() if callable(token) else token))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer["Cache-Control"] == "no-store"
    assert [each.detail.slug for each in refused] == [slug.partition(":")[0]]
    assert revocations == []


@pytest.mark.parametrize("typ", ["JWT", ...])
def test_provider_that_omits_the_type_is_admitted_if_the_site_says_so(provider, configure, typ):
    configure(REQUIRE_TYP=False)
    assert provider.post(PATH, **form(signed(logout_claims(), typ))).status_code == 200


def test_type_of_another_token_is_rejected_also_where_it_may_be_omitted(provider, configure):
    configure(REQUIRE_TYP=False)
    assert provider.post(PATH, **form(signed(logout_claims(), "at+jwt"))).status_code == 400


FORMS = [
    "application/x-www-form-urlencoded; charset=UTF-8",
    "Application/X-WWW-Form-Urlencoded",
]
BODIES = {
    "no field": {"data": "token=a"},
    "twice": {"data": "logout_token=a&logout_token=b"},
    "many fields": {"data": "&".join(f"a{n}=1" for n in range(2000))},
    "not ASCII": {"data": "logout_token=\xff".encode("latin-1")},
    "JSON": {"data": {"logout_token": "a"}, "content_type": "application/json"},
    "empty": {"data": ""},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_body_that_is_no_form_with_a_token_is_rejected(provider, body):
    given = {"content_type": "application/x-www-form-urlencoded"} | body
    assert provider.post(PATH, **given).status_code == 400


@pytest.mark.parametrize("content_type", FORMS)
def test_media_type_may_have_parameters_and_capitals(provider, content_type):
    request = form(signed(logout_claims())) | {"content_type": content_type}
    assert provider.post(PATH, **request).status_code == 200


ENDPOINTS = ["backchannel-logout", "security-events", "global-token-revocation"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
@pytest.mark.asvs("4.1.4")
def test_only_post_is_allowed(provider, revocations, endpoint, method):
    answer = getattr(provider, method)(f"/auth/{endpoint}/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer["Cache-Control"] == "no-store"
    assert revocations == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endpoint_that_is_not_configured_is_not_there(provider, configure, endpoint):
    configure(ENDPOINTS=[each for each in ENDPOINTS if each != endpoint])
    path = f"/auth/{endpoint}/"
    assert provider.post(path, **form(signed(logout_claims()))).status_code == 404
    assert [getattr(provider, each)(path).status_code for each in ("get", "options")] == [404, 404]


def test_refused_request_has_the_name_that_a_proxy_gave_it(provider, refused):
    provider.post(PATH, **form("c4n4ry"), headers={"X-Request-ID": "r-1"})
    assert [each.request_id for each in refused] == ["r-1"]


@pytest.mark.asvs("3.5.2")
def test_login_of_a_browser_counts_for_nothing(ada):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post(PATH, **form("")).status_code == 400
