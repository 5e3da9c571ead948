"""The tokens of django-rest-knox."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.views import LogoutAllView, LogoutView

from channels_token_auth.backends.contract import RevokedTokens
from channels_token_auth.backends.knox import KnoxTokenBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from tests.backends.checking import announcements, check
from tests.plugins.examples import times

DIGITS = "0123456789abcdef" * 4
pytestmark = pytest.mark.database
TOKENS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
HOUR = timedelta(hours=1)


class DeviceToken(AuthToken):
    """A token model of the site's own, on the table of knox."""

    class Meta:
        proxy = True
        app_label = "knox"


def presented(token, location=Location.HEADER, scheme=None):
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def user_of(name, **fields):
    return get_user_model().objects.create(username=name, **fields)


def expire(row, ago=HOUR):
    AuthToken.objects.filter(pk=row.pk).update(expiry=datetime.now(UTC) - ago)


def code_or_user(verdict):
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict and verdict.user


@pytest.fixture
def backend():
    return KnoxTokenBackend()


@pytest.fixture
def alice(db):
    return user_of("alice")


@pytest.fixture
def row_and_token(alice):
    return AuthToken.objects.create(user=alice)


@pytest.fixture
def row(row_and_token):
    return row_and_token[0]


@pytest.fixture
def token(row_and_token):
    return row_and_token[1]


@pytest.fixture
def held(backend):
    """Return a function for the grant of a socket that a token has opened."""

    def hold(token):
        (verdict,) = backend.authenticate([presented(token)])
        return Grant(user_pk=verdict.user.pk, authentication=verdict.authentication)

    return hold


def test_token_gives_the_digest_and_the_dates_of_its_row(backend, row, token):
    (verdict,) = backend.authenticate([presented(token)])
    authentication = verdict.authentication
    assert authentication.token_id == hashlib.sha256(row.digest.encode()).hexdigest()[:32]
    assert (authentication.issued_at, authentication.expires_at) == (row.created, row.expiry)
    assert authentication.scopes == frozenset()


def test_token_without_expiry_has_none(backend, alice):
    _, token = AuthToken.objects.create(user=alice, expiry=None)
    (verdict,) = backend.authenticate([presented(token)])
    assert verdict.authentication.expires_at is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: f"{token}0",
        lambda token: token[:15],
        lambda token: f"{token[:-1]}\u0101",
        lambda token: token.swapcase(),
    ],
)
def test_token_that_is_nearly_one_is_unknown(backend, token, change):
    assert token != change(token)
    assert backend.authenticate([presented(change(token))]) == [None]


class AnyToken(TestCase):
    @times(0.5)
    @given(tokens=st.lists(TOKENS, min_size=1, max_size=3))
    def test_token_of_any_text_is_unknown_without_an_exception(self, tokens):
        credentials = [presented(token) for token in tokens]
        assert KnoxTokenBackend().authenticate(credentials) == [None] * len(tokens)


def test_digest_of_a_row_opens_nothing(backend, row):
    assert backend.authenticate([presented(row.digest)]) == [None]


def test_tokens_that_begin_alike_are_distinguished(backend, row, token):
    bobs, neither = f"{row.token_key}bob", f"{row.token_key}neither"
    AuthToken(token_key=row.token_key, digest=hash_token(bobs), user=user_of("bob")).save()
    verdicts = backend.authenticate([presented(each) for each in (token, bobs, neither)])
    found = [code_or_user(verdict) for verdict in verdicts]
    assert found == [row.user, get_user_model().objects.get(username="bob"), None]


def test_expired_token_is_refused_as_such_and_stays(backend, row, token):
    expire(row)
    (verdict,) = backend.authenticate([presented(token)])
    assert verdict.code is CloseReason.TOKEN_EXPIRED
    assert AuthToken.objects.filter(pk=row.pk).exists()


def test_expiry_of_another_token_of_the_user_is_nobodys_business(backend, row, token):
    expired, _ = AuthToken.objects.create(user=row.user)
    expire(expired)
    (verdict,) = backend.authenticate([presented(token)])
    assert verdict.user == row.user
    assert AuthToken.objects.filter(pk=expired.pk).exists()


def test_verifying_renews_nothing_where_requests_do(
    backend, row, token, settings, django_assert_num_queries
):
    settings.REST_KNOX = {"AUTO_REFRESH": True, "MIN_REFRESH_INTERVAL": 0}
    with django_assert_num_queries(1) as asked:
        (verdict,) = backend.authenticate([presented(token)])
    assert asked.captured_queries[0]["sql"].startswith("SELECT")
    assert verdict.authentication.expires_at == row.expiry


def test_verdict_shows_neither_token_nor_digest(backend, row, token):
    shown = repr(backend.authenticate([presented(token)]))
    assert token not in shown
    assert row.digest not in shown


def test_times_are_aware_where_the_sites_are_not(backend, row, token, settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "UTC"
    (verdict,) = backend.authenticate([presented(token)])
    authentication = verdict.authentication
    assert (authentication.issued_at, authentication.expires_at) == (row.created, row.expiry)


@pytest.mark.parametrize(
    ("scheme", "is_claimed"), [(None, True), ("token", True), ("bearer", True), ("knox", False)]
)
def test_header_of_another_scheme_is_not_claimed(backend, scheme, is_claimed):
    assert backend.schemes == {"token", "bearer"}
    assert backend.recognizes(presented(DIGITS, scheme=scheme)) is is_claimed


def test_scheme_is_the_one_that_knox_is_configured_with(settings):
    settings.REST_KNOX = {"AUTH_HEADER_PREFIX": "Knox"}
    assert KnoxTokenBackend().schemes == {"knox", "bearer"}


@pytest.mark.parametrize("other", ["0" * 40, DIGITS + "0", "g" * 64, DIGITS.upper(), "a.b.c"])
def test_token_of_another_shape_is_not_claimed_and_asks_nothing(backend, other):
    assert not backend.recognizes(presented(other))


def test_shape_is_that_of_what_knox_issues_now(backend, settings):
    settings.REST_KNOX = {"TOKEN_PREFIX": "k.", "AUTH_TOKEN_CHARACTER_LENGTH": 33}
    assert backend.recognizes(presented("k." + "0" * 32))
    assert not backend.recognizes(presented("kx" + "0" * 32))
    assert not backend.recognizes(presented("0" * 32))


def test_token_with_a_prefix_is_accepted(backend, alice, settings):
    settings.REST_KNOX = {"TOKEN_PREFIX": "kx_"}
    _, token = AuthToken.objects.create(user=alice, prefix="kx_")
    (verdict,) = backend.authenticate([presented(token)])
    assert token.startswith("kx_")
    assert verdict.user == alice


def test_pattern_of_the_site_goes_before_it(settings):
    settings.REST_KNOX = {"TOKEN_PREFIX": "kx_"}
    backend = KnoxTokenBackend(pattern="(kx_)?[0-9]+")
    assert backend.recognizes(presented("0123"))
    assert backend.recognizes(presented("kx_0123"))
    assert not backend.recognizes(presented("kx_0123a"))


def test_revalidation_sees_that_a_request_has_renewed_the_token(backend, row, token, held):
    AuthToken.objects.update(expiry=datetime.now(UTC) + HOUR)
    before = held(token)
    row.refresh_from_db()
    TokenAuthentication().renew_token(row)  # as knox does where AUTO_REFRESH is on
    (verdict,) = backend.revalidate([before])
    assert verdict.authentication == replace(before.authentication, expires_at=row.expiry)
    assert row.expiry > before.authentication.expires_at


@pytest.mark.parametrize("needs_user", [True, False])
def test_revalidation_is_one_query_with_verdicts_in_order(
    backend, token, held, django_assert_num_queries, needs_user
):
    made = [AuthToken.objects.create(user=user_of(name)) for name in "bcde"]
    sockets = [held(token), *(held(each) for _, each in made)]
    sockets.append(replace(sockets[0], user_pk=made[3][0].user.pk))  # somebody else's token
    (deleted, expired, deactivated, standing) = (row for row, _ in made)
    deleted.delete()
    expire(expired)
    get_user_model().objects.filter(pk=deactivated.user.pk).update(is_active=False)
    with django_assert_num_queries(1):
        verdicts = backend.revalidate([replace(each, needs_user=needs_user) for each in sockets])
    assert [getattr(verdict, "code", None) or verdict.user.pk for verdict in verdicts] == [
        get_user_model().objects.get(username="alice").pk,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
        CloseReason.USER_INACTIVE,
        standing.user.pk,
        CloseReason.TOKEN_REVOKED,
    ]


def test_end_deletes_these_tokens_and_no_others(backend, row, token, held):
    kept, _ = AuthToken.objects.create(user=row.user)
    of_another, _ = AuthToken.objects.create(user=user_of("bob"))
    gone = replace(held(token), authentication=replace(held(token).authentication, token_id="0"))
    assert backend.revoke([held(token), gone]) == [True, True]
    assert set(AuthToken.objects.all()) == {kept, of_another}


def test_end_deletes_the_row_of_a_model_whose_own_delete_keeps_it(
    backend, token, held, monkeypatch
):
    grant = held(token)
    monkeypatch.setattr(AuthToken, "delete", lambda row: None)
    assert backend.revoke([grant]) == [True]
    assert not AuthToken.objects.exists()


def test_end_finds_the_row_by_the_id_alone_and_reads_no_more_than_digests(
    backend, row, held, django_assert_num_queries
):
    _, of_another = AuthToken.objects.create(user=user_of("bob"))
    by_id = replace(held(of_another), user_pk=None)
    with django_assert_num_queries(2) as asked:
        assert backend.revoke([by_id]) == [True]
    assert "user" not in asked.captured_queries[0]["sql"]
    assert AuthToken.objects.get() == row
    assert backend.revoke([by_id]) == [True]


def test_end_of_a_user_deletes_all_tokens_of_his(backend, row, db):
    AuthToken.objects.create(user=row.user)
    kept, _ = AuthToken.objects.create(user=user_of("bob"))
    assert backend.revoke_user(row.user.pk, except_token_id=None, issued_before=None) is True
    assert list(AuthToken.objects.all()) == [kept]


def test_end_of_a_user_keeps_one_and_those_issued_later(backend, row, alice):
    kept, token = AuthToken.objects.create(user=alice)
    later, _ = AuthToken.objects.create(user=alice)
    AuthToken.objects.filter(pk=later.pk).update(created=row.created + HOUR)
    AuthToken.objects.filter(pk=kept.pk).update(created=row.created - HOUR)
    (verdict,) = backend.authenticate([presented(token)])
    token_id = verdict.authentication.token_id
    backend.revoke_user(alice.pk, except_token_id=token_id, issued_before=row.created)
    assert set(AuthToken.objects.all()) == {kept, later}


@pytest.fixture
def announced(backend):
    """Collect what the backend's signals announce."""
    with announcements(backend) as said:
        yield said


@pytest.mark.parametrize("view", [LogoutView, LogoutAllView])
def test_logout_of_knox_is_announced_as_the_end_of_its_token(held, token, announced, view):
    before = held(token)
    request = RequestFactory().post("/", headers={"Authorization": f"Token {token}"})
    assert view.as_view()(request).status_code == 204
    assert announced == [
        RevokedTokens(
            user_pk=before.user_pk, token_id=before.authentication.token_id, is_denied=False
        )
    ]


def test_deletion_of_a_user_is_announced_as_the_end_of_his_tokens(held, row, token, announced):
    before = held(token)
    row.user.delete()
    assert announced == [
        RevokedTokens(
            user_pk=before.user_pk, token_id=before.authentication.token_id, is_denied=False
        )
    ]


def test_installed_model_passes_the_check(backend):
    assert check(backend) == []


@pytest.mark.parametrize("model", ["knox.NoModel", "no_app.AuthToken", "AuthToken", None])
def test_model_that_is_none_is_an_error(backend, settings, model):
    settings.REST_KNOX = {"TOKEN_MODEL": model}
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E130"
    assert repr(model) in error.msg


@pytest.mark.parametrize("pattern", [["kx_"], 5, "(", b"a"])
def test_pattern_that_is_none_is_an_error(pattern):
    (error,) = check(KnoxTokenBackend(pattern=pattern))
    assert error.id == "channels_token_auth.E131"


def test_model_that_knox_is_configured_with_is_queried_and_watched(settings, row, token):
    settings.REST_KNOX = {"TOKEN_MODEL": "knox.DeviceToken"}
    backend = KnoxTokenBackend()
    senders = {announcement.sender for announcement in backend.announcements()}
    (verdict,) = backend.authenticate([presented(token)])
    assert (check(backend), senders, verdict.user) == ([], {DeviceToken}, row.user)
