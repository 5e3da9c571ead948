"""The session tokens and JWTs of django-allauth's headless mode."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import jwt
import pytest
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.urls import include, path
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels_token_auth import Revocations
from channels_token_auth.backends.allauth import AllauthJWTBackend
from channels_token_auth.backends.allauth.backend import AllauthSessionTokenBackend
from channels_token_auth.backends.contract import RevokedTokens
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Grant, Identity
from tests.backends.checking import check, outcome
from tests.backends.own_users.models import Member
from tests.plugins.examples import times

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = RSA_KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
HOUR = timedelta(hours=1)

urlpatterns = [path("_allauth/", include("allauth.headless.urls"))]


class OwnStrategy(SessionTokenStrategy):
    """A site's strategy, with session tokens that are no session keys."""

    def lookup_session(self, session_token):
        return super().lookup_session(session_token[::-1])


class NoGuests(ModelBackend):
    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and user.username != "guest"


class OnlyAda(ModelBackend):
    """An authentication backend with its own idea of who may still come."""

    def get_user(self, user_id):
        return get_user_model().objects.filter(pk=user_id, username="ada").first()


@pytest.fixture(autouse=True)
def _key(settings):
    settings.HEADLESS_JWT_PRIVATE_KEY = PEM
    # What allauth itself asks for, at every login.
    settings.AUTHENTICATION_BACKENDS = [MODEL_BACKEND]


@pytest.fixture
def without_lists(settings):
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "allauth.usersessions"
    ]


@pytest.fixture(params=[True, False])
def with_and_without_lists(request):
    if not request.param:
        request.getfixturevalue("without_lists")


@pytest.fixture(params=[AllauthSessionTokenBackend, AllauthJWTBackend])
def backend(request):
    return request.param()


@pytest.fixture
def sessions():
    return AllauthSessionTokenBackend()


@pytest.fixture
def jwts():
    return AllauthJWTBackend()


@pytest.fixture
def alice(db):
    return logged_in(user_of("alice"))


def user_of(name, **fields):
    return get_user_model().objects.create_user(username=name, password="secret", **fields)


def logged_in(user, *, began_at=None, is_listed=True, backend=MODEL_BACKEND):
    """The request of somebody who has just logged in."""
    request = RequestFactory().post("/login/")
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    request.user = AnonymousUser()
    login(request, user, backend)
    request.session.save()
    if is_listed:
        UserSession.objects.create_from_request(request)
        began_at = began_at or datetime.now(UTC)
        UserSession.objects.filter(session_key=key_of(request)).update(created_at=began_at)
    return request


def key_of(request):
    return request.session.session_key


def token_for(backend, request):
    is_jwt = isinstance(backend, AllauthJWTBackend)
    strategy = JWTTokenStrategy() if is_jwt else SessionTokenStrategy()
    return (
        strategy.create_access_token(request) if is_jwt else strategy.create_session_token(request)
    )


def presented(token, location=Location.HEADER):
    return Credential(location=location, secret=Secret(token))


def verdict_on(backend, token):
    (verdict,) = backend.authenticate([presented(token)])
    return outcome(verdict)


def held(backend, request):
    (verdict,) = backend.authenticate([presented(token_for(backend, request))])
    return Grant(
        user_pk=verdict.user.pk, authentication=verdict.authentication, handle=verdict.handle
    )


def session_row(request):
    return Session.objects.filter(session_key=key_of(request))


@pytest.mark.database
@pytest.mark.parametrize("location", Location)
def test_token_is_its_users_identity(backend, alice, location):
    (verdict,) = backend.authenticate([presented(token_for(backend, alice), location)])
    assert isinstance(verdict, Identity)
    assert type(verdict.user) is get_user_model()
    assert verdict.user == alice.user
    authentication = verdict.authentication
    assert (authentication.backend, authentication.location) == (backend.name, location)
    assert authentication.token_id == Secret(key_of(alice)).digest


def test_session_token_lives_as_long_as_its_session(sessions, alice):
    authentication = held(sessions, alice).authentication
    assert authentication.expires_at == session_row(alice).get().expire_date
    assert authentication.issued_at == UserSession.objects.get().created_at


def test_jwt_lives_till_it_expires_or_its_session_does(jwts, alice):
    authentication = held(jwts, alice).authentication
    claims = jwt.decode(token_for(jwts, alice), options={"verify_signature": False})
    assert 0 <= claims["exp"] - authentication.expires_at.timestamp() <= 60
    assert authentication.issued_at <= datetime.now(UTC)
    soon = datetime.now(UTC) + timedelta(seconds=90)
    session_row(alice).update(expire_date=soon)
    assert held(jwts, alice).authentication.expires_at == soon


@pytest.mark.database
def test_tokens_that_a_client_gets_over_http_are_accepted(sessions, jwts, settings, db):
    settings.ROOT_URLCONF = __name__
    settings.HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"
    settings.AUTHENTICATION_BACKENDS = [
        "allauth.account.auth_backends.AuthenticationBackend",
        MODEL_BACKEND,
    ]
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ]
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    user, client = user_of("carol"), Client()
    answer = client.post(
        "/_allauth/app/v1/auth/login",
        json.dumps({"username": "carol", "password": "secret"}),
        "application/json",
    )
    tokens = answer.json()["meta"]
    assert verdict_on(sessions, tokens["session_token"]) == user
    assert verdict_on(jwts, tokens["access_token"]) == user
    client.delete(
        "/_allauth/app/v1/auth/session", headers={"x-session-token": tokens["session_token"]}
    )
    assert verdict_on(sessions, tokens["session_token"]) is None
    assert verdict_on(jwts, tokens["access_token"]) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_logged_out_session_is_over(sessions, jwts, alice):
    session_token, access_token = token_for(sessions, alice), token_for(jwts, alice)
    logout(alice)
    assert verdict_on(sessions, session_token) is None
    assert verdict_on(jwts, access_token) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda r: get_user_model().objects.update(is_active=False), CloseReason.USER_INACTIVE),
        (lambda r: (r.user.set_password("new"), r.user.save()), CloseReason.TOKEN_REVOKED),
        (lambda r: session_row(r).update(expire_date=datetime.now(UTC)), CloseReason.TOKEN_EXPIRED),
        (lambda r: (r.session.pop("_auth_user_id"), r.session.save()), CloseReason.TOKEN_INVALID),
    ],
)
def test_token_that_may_not_pass_is_refused(backend, alice, with_and_without_lists, spoil, code):
    token = token_for(backend, alice)
    spoil(alice)
    assert verdict_on(backend, token) is code


@pytest.mark.database
def test_token_of_a_deleted_user_is_over(sessions, jwts, alice):
    session_token, access_token = token_for(sessions, alice), token_for(jwts, alice)
    alice.user.delete()
    assert verdict_on(sessions, session_token) is None
    assert verdict_on(jwts, access_token) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_token_of_a_deleted_user_is_invalid_without_lists(backend, alice, without_lists):
    token = token_for(backend, alice)
    alice.user.delete()
    assert verdict_on(backend, token) is CloseReason.TOKEN_INVALID


@pytest.mark.database
def test_session_that_its_user_cannot_see_does_not_count(sessions, jwts, db):
    request = logged_in(user_of("bob"), is_listed=False)
    assert verdict_on(sessions, token_for(sessions, request)) is None
    assert verdict_on(jwts, token_for(jwts, request)) is CloseReason.TOKEN_REVOKED


def test_session_counts_without_lists(backend, db, without_lists):
    request = logged_in(user_of("bob"), is_listed=False)
    assert verdict_on(backend, token_for(backend, request)) == request.user


@pytest.mark.parametrize(
    ("path", "name"), [("NoGuests", "bob"), ("OnlyAda", "ada")], ids=["rule", "look-up"]
)
def test_authentication_backend_of_the_session_lets_its_users_in(backend, db, settings, path, name):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{path}"]
    request = logged_in(user_of(name), backend=f"{__name__}.{path}")
    assert verdict_on(backend, token_for(backend, request)) == request.user


@pytest.mark.parametrize(
    ("path", "name"), [("NoGuests", "guest"), ("OnlyAda", "bob")], ids=["rule", "look-up"]
)
def test_authentication_backend_of_the_session_keeps_others_out(backend, db, settings, path, name):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{path}"]
    request = logged_in(user_of(name), backend=f"{__name__}.{path}")
    assert verdict_on(backend, token_for(backend, request)) is CloseReason.TOKEN_INVALID


def test_session_of_an_authentication_backend_left_behind_is_invalid(backend, alice, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OnlyAda"]
    assert verdict_on(backend, token_for(backend, alice)) is CloseReason.TOKEN_INVALID


@pytest.mark.database
def test_former_secret_key_still_counts_and_nothing_is_written(
    sessions, alice, settings, django_assert_num_queries
):
    token = token_for(sessions, alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one, and long enough for every algorithm that signs with it"
    with django_assert_num_queries(2) as asked:
        assert verdict_on(sessions, token) == alice.user
    assert {query["sql"].split()[0] for query in asked.captured_queries} == {"SELECT"}


@pytest.mark.database
def test_batch_is_two_queries_that_only_read(
    backend, db, with_and_without_lists, django_assert_num_queries
):
    requests = [logged_in(user_of(f"user {n}", is_active=n != 1)) for n in range(3)]
    batch = [presented(token_for(backend, each)) for each in (*requests, requests[0])]
    requests[2].user.set_password("new")
    requests[2].user.save()
    with django_assert_num_queries(2) as asked:
        verdicts = [outcome(verdict) for verdict in backend.authenticate(batch)]
    alice = requests[0].user
    assert verdicts == [alice, CloseReason.USER_INACTIVE, CloseReason.TOKEN_REVOKED, alice]
    assert {query["sql"].split()[0] for query in asked.captured_queries} == {"SELECT"}


def test_verdict_shows_no_secret(backend, alice):
    token = token_for(backend, alice)
    shown = repr(backend.authenticate([presented(token)]))
    assert token not in shown
    assert key_of(alice) not in shown


@pytest.mark.hypothesis
class Rubbish(TestCase):
    @given(text=TEXTS, backend=st.sampled_from([AllauthSessionTokenBackend, AllauthJWTBackend]))
    @times(0.3)
    def test_any_text_gives_a_verdict(self, text, backend):
        assert backend().recognizes(presented(text)) in (True, False)
        assert verdict_on(backend(), text) is None


@pytest.mark.parametrize(
    ("token", "is_session_token", "is_jwt"),
    [
        ("a" * 32, True, False),
        ("a.b.c", False, True),
        ("A" * 32, False, False),
        ("a.b", *[False] * 2),
    ],
)
def test_token_is_claimed_by_its_shape(sessions, jwts, token, is_session_token, is_jwt):
    assert sessions.recognizes(presented(token)) is is_session_token
    assert jwts.recognizes(presented(token)) is is_jwt


def forged(request, *, key=RSA_KEY, algorithm="RS256", headers=None, **claims):
    """An access token as allauth makes it, but for what is said here; None takes a claim away."""
    token = JWTTokenStrategy().create_access_token(request)
    honest = jwt.decode(token, options={"verify_signature": False})
    kept = {name: value for name, value in (honest | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers=headers)


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.mark.parametrize(
    "made",
    [
        {"key": OTHER_KEY},
        {"key": "x" * 64, "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
        {"algorithm": "RS512"},
        {"key": OTHER_KEY, "headers": {"jku": "https://evil.example/", "kid": "../../dev/null"}},
        {"key": OTHER_KEY, "headers": {"x5u": "https://evil.example/", "jwk": {"kty": "RSA"}}},
    ],
)
def test_jwt_that_was_not_signed_by_us_is_unknown(jwts, alice, made):
    assert verdict_on(jwts, forged(alice, **made)) is None


def test_public_key_is_no_secret_to_sign_with(jwts, alice):
    header, payload, _ = forged(alice).split(".")
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = mac.sign(f"{header}.{payload}".encode(), PUBLIC_PEM)
    token = f"{header}.{payload}.{jwt.utils.base64url_encode(signature).decode()}"
    assert verdict_on(jwts, token) is None


def test_header_that_is_too_deep_is_unknown(jwts, alice):
    deep = jwt.utils.base64url_encode(b"[" * 3000).decode()
    assert verdict_on(jwts, f"{deep}.e30.AA") is None


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, CloseReason.TOKEN_EXPIRED),
        ({"exp": None}, CloseReason.TOKEN_INVALID),
        ({"iat": None}, CloseReason.TOKEN_INVALID),
        ({"exp": 10**30}, CloseReason.TOKEN_INVALID),
        ({"nbf": time.time() + 3600}, CloseReason.TOKEN_INVALID),
        ({"iat": time.time() + 3600}, CloseReason.TOKEN_INVALID),
        ({"token_use": "refresh"}, CloseReason.TOKEN_INVALID),
        ({"token_use": None}, CloseReason.TOKEN_INVALID),
        ({"sid": None}, CloseReason.TOKEN_INVALID),
        ({"sid": 7}, CloseReason.TOKEN_INVALID),
        ({"sid": ""}, CloseReason.TOKEN_INVALID),
        ({"sid": "\u0101"}, CloseReason.TOKEN_INVALID),
        ({"sid": "!"}, CloseReason.TOKEN_INVALID),
        ({"sub": None}, CloseReason.TOKEN_INVALID),
        ({"sub": "0"}, CloseReason.TOKEN_INVALID),
        ({"sub": "nobody"}, CloseReason.TOKEN_INVALID),
    ],
)
def test_jwt_of_ours_that_may_not_pass_is_refused(jwts, alice, claims, code):
    assert verdict_on(jwts, forged(alice, **claims)) is code


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None])
def test_jwt_with_a_critical_header_is_refused(jwts, alice, crit):
    made = forged(alice, headers={"crit": crit, "b64": True, "exp": 1})
    assert verdict_on(jwts, made) in {None, CloseReason.TOKEN_INVALID}, "which is PyJWT's affair"


def test_refresh_token_is_invalid(jwts, alice, settings):
    request = alice
    tokens = JWTTokenStrategy().create_access_token_payload(request)
    assert verdict_on(jwts, tokens["access_token"]) == request.user
    assert verdict_on(jwts, tokens["refresh_token"]) is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize("key", ["", "a secret of its own, long enough for it"])
def test_shared_secret_is_used_where_the_settings_say_so(jwts, alice, settings, key):
    token = forged(alice, key=key or settings.SECRET_KEY, algorithm="HS256")
    settings.HEADLESS_JWT_ALGORITHM, settings.HEADLESS_JWT_PRIVATE_KEY = "HS256", key
    assert verdict_on(jwts, token) == alice.user


@pytest.mark.database
def test_user_may_have_another_primary_key(sessions, jwts, settings, db, without_lists):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member(email="ada@example.com")
    member.set_password("secret")
    member.save()
    request = logged_in(member, is_listed=False)
    request.user = member
    assert verdict_on(sessions, token_for(sessions, request)) == member
    assert verdict_on(jwts, forged(request)) == member
    assert verdict_on(jwts, forged(request, sub="no UUID")) is CloseReason.TOKEN_INVALID


@pytest.mark.database
def test_revalidation_with_lists_is_two_queries(backend, alice, django_assert_num_queries):
    users = [user_of(name) for name in ("gone", "off", "out", "new", "deleted", "old")]
    requests = [alice, *(logged_in(user) for user in users)]
    sockets = [held(backend, request) for request in requests]
    session_row(requests[1]).delete()
    get_user_model().objects.filter(username="off").update(is_active=False)
    UserSession.objects.filter(session_key=key_of(requests[3])).delete()
    users[3].set_password("new")
    users[3].save()
    users[4].delete()
    session_row(requests[6]).update(expire_date=datetime.now(UTC))
    with django_assert_num_queries(2) as asked:
        verdicts = [outcome(verdict) for verdict in backend.revalidate(sockets)]
    assert {query["sql"].split()[0] for query in asked.captured_queries} == {"SELECT"}
    assert verdicts == [
        alice.user,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
    ]


@pytest.mark.database
def test_user_whose_session_names_nobody_any_more_is_out(backend, alice):
    before = held(backend, alice)
    alice.session.pop("_auth_user_id")
    alice.session.save()
    assert outcome(*backend.revalidate([before])) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_session_that_is_used_extends_its_token_but_no_jwt(sessions, jwts, alice):
    before = [held(each, alice) for each in (sessions, jwts)]
    later = datetime.now(UTC) + timedelta(days=30)
    session_row(alice).update(expire_date=later)
    (of_session,) = sessions.revalidate(before[:1])
    (of_jwt,) = jwts.revalidate(before[1:])
    assert of_session.authentication == replace(before[0].authentication, expires_at=later)
    assert of_jwt.authentication == before[1].authentication


@pytest.mark.database
def test_revalidation_without_lists_sees_the_sessions(
    backend, alice, without_lists, django_assert_num_queries
):
    requests = [alice, *(logged_in(user_of(name)) for name in "bcde")]
    sockets = [held(backend, request) for request in requests]
    session_row(requests[1]).delete()
    session_row(requests[2]).update(expire_date=datetime.now(UTC))
    requests[3].user.set_password("new")
    requests[3].user.save()
    get_user_model().objects.filter(username="e").update(is_active=False)
    with django_assert_num_queries(2):
        verdicts = backend.revalidate(sockets)
    assert [outcome(verdict) for verdict in verdicts] == [
        alice.user,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
    ]
    assert verdicts[0].handle == sockets[0].handle


@pytest.mark.database
def test_revalidation_without_lists_sees_the_users_of_those_that_came_by_a_ticket(
    backend, alice, without_lists, django_assert_num_queries
):
    before = replace(held(backend, alice), handle=None)
    past = replace(before.authentication, expires_at=datetime.now(UTC))
    deleted = replace(before, user_pk=0)
    sockets = [before, replace(before, authentication=past), deleted]
    with django_assert_num_queries(1):
        verdicts = [outcome(verdict) for verdict in backend.revalidate(sockets)]
    assert verdicts == [alice.user, CloseReason.TOKEN_EXPIRED, CloseReason.TOKEN_REVOKED]


@pytest.mark.database
def test_no_token_is_kept_where_lists_find_the_session(backend, alice):
    assert held(backend, alice).handle is None


@pytest.mark.database
def test_end_ends_the_session(backend, alice):
    other = logged_in(alice.user)
    sockets, token = [held(backend, alice)], token_for(backend, other)
    assert backend.revoke(sockets) == [True]
    assert not session_row(alice).exists()
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [key_of(other)]
    assert backend.revoke(sockets) == [True]
    assert verdict_on(backend, token) == alice.user


@pytest.mark.database
def test_end_finds_the_session_by_the_id_alone(backend, alice):
    other = logged_in(user_of("bob"))
    by_id = replace(held(backend, other), user_pk=None)
    assert backend.revoke([by_id, by_id]) == [True, True]
    assert not session_row(other).exists()
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [key_of(alice)]


@pytest.mark.database
def test_end_user_ends_all_but_one_and_all_that_is_newer(backend, alice):
    hour_ago = datetime.now(UTC) - HOUR
    old, kept, at_it = (logged_in(alice.user, began_at=hour_ago) for _ in range(3))
    other = logged_in(user_of("bob"), began_at=hour_ago)
    token_id = Secret(key_of(kept)).digest
    assert backend.revoke_user(alice.user.pk, except_token_id=token_id, issued_before=hour_ago)
    assert {row.session_key for row in UserSession.objects.all()} == {
        key_of(request) for request in (alice, kept, other)
    }
    assert not session_row(old).exists()
    assert not session_row(at_it).exists()


@pytest.mark.database
def test_end_user_without_exceptions_ends_everything(backend, alice):
    assert backend.revoke_user(alice.user.pk, except_token_id=None, issued_before=None)
    assert not Session.objects.exists()


def test_without_lists_the_denylist_has_to_remember(backend, alice, without_lists):
    assert type(backend)().revocations is not Revocations.ROWS
    assert backend.revoke([held(backend, alice)]) == [False]
    assert not backend.revoke_user(alice.user.pk, except_token_id=None, issued_before=None)
    assert session_row(alice).exists()


def heard(backend, act):
    """Return what the backend's signals announce during the act."""
    ended = []
    receivers = []
    for each in backend.announcements():
        receivers.append(lambda _tokens=each.tokens, **kwargs: ended.extend(_tokens(**kwargs)))
        each.signal.connect(receivers[-1], sender=each.sender, weak=False)
    act()
    for each, receiver in zip(backend.announcements(), receivers, strict=True):
        each.signal.disconnect(receiver, sender=each.sender)
    return ended


@pytest.mark.database
def test_logout_is_announced(backend, alice):
    user_pk, token_id = alice.user.pk, Secret(key_of(alice)).digest
    ended = heard(backend, lambda: logout(alice))
    assert ended == [RevokedTokens(user_pk=user_pk, token_id=token_id)]


def test_logout_without_lists_is_for_the_denylist(backend, alice, without_lists):
    user_pk, token_id = alice.user.pk, Secret(key_of(alice)).digest
    ended = heard(backend, lambda: logout(alice))
    assert ended == [RevokedTokens(user_pk=user_pk, token_id=token_id, is_denied=True)]


@pytest.mark.database
def test_session_that_a_user_ends_in_his_list_is_announced(backend, alice):
    token_id = Secret(key_of(alice)).digest
    ended = heard(backend, UserSession.objects.get().end)
    assert ended == [RevokedTokens(user_pk=alice.user.pk, token_id=token_id)]


def test_logout_of_nobody_is_announced_to_nobody(backend, db):
    request = RequestFactory().post("/logout/")
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    assert heard(backend, lambda: logout(request)) == []


def test_installed_package_passes_the_check(backend):
    assert check(backend) == []


def test_missing_lists_are_a_warning(backend, without_lists):
    (warning,) = check(backend)
    assert warning.id == "channels_token_auth.W180"


def test_missing_app_is_an_error(backend, settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "allauth.headless"]
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E180"


def test_sessions_in_cookies_are_an_error(backend, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E182"


def test_session_tokens_of_a_sites_own_are_an_error_and_refused(sessions, alice, settings):
    settings.HEADLESS_TOKEN_STRATEGY = f"{__name__}.OwnStrategy"
    (error,) = check(sessions)
    assert error.id == "channels_token_auth.E181"
    with pytest.raises(ImproperlyConfigured):
        sessions.authenticate([presented(key_of(alice))])


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", ""), ("RS256", "no PEM"), ("none", PEM), ("ES256", PEM)]
)
def test_key_that_does_not_verify_is_an_error(jwts, settings, algorithm, key):
    settings.HEADLESS_JWT_ALGORITHM, settings.HEADLESS_JWT_PRIVATE_KEY = algorithm, key
    (error,) = check(jwts)
    assert error.id == "channels_token_auth.E183"
    with pytest.raises(ValueError):  # noqa: PT011 - ours, or cryptography's
        jwts.authenticate([presented("a.b.c")])


def test_schemes_are_bearer_and_the_sites_own(sessions, settings):
    settings.HEADLESS_JWT_AUTHORIZATION_HEADER_SCHEME = "JWT"
    assert sessions.schemes == {"bearer"}
    assert AllauthJWTBackend().schemes == {"bearer", "jwt"}
