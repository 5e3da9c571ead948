"""The access tokens of django-oauth-toolkit, of this site's own authorization server."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from oauth2_provider.models import AccessToken, Application, IDToken, RefreshToken, clear_expired

from channels_token_auth.backends.contract import RevokedTokens
from channels_token_auth.backends.oauth2 import OAuth2Backend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from tests.backends.checking import announcements, check
from tests.plugins.examples import times

pytestmark = pytest.mark.database
TOKENS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=300)
HOUR = timedelta(hours=1)
HAS_RESOURCES = any(field.name == "resource" for field in AccessToken._meta.get_fields())
numbers = count()


def now():
    return datetime.now(UTC)


def presented(token, location=Location.HEADER):
    return Credential(location=location, secret=Secret(token))


def user_of(name, **fields):
    return get_user_model().objects.create(username=name, **fields)


def token_of(user, *, age=timedelta(0), expires_in=HOUR, **fields):
    """A row, made so long ago; its token is `row.token`."""
    text = f"token {next(numbers)}".replace(" ", "-")
    row = AccessToken.objects.create(
        user=user, token=text, expires=now() + expires_in, scope="read write", **fields
    )
    AccessToken.objects.filter(pk=row.pk).update(created=now() - age)
    row.refresh_from_db()
    return row


def refresh_token_of(row, *, age=timedelta(0)):
    refresh = RefreshToken.objects.create(
        user=row.user, token=f"of-{row.token}", application=application(), access_token=row
    )
    RefreshToken.objects.filter(pk=refresh.pk).update(created=now() - age)
    return refresh


def application(**fields):
    return Application.objects.create(client_type="public", authorization_grant_type="x", **fields)


def held(row):
    (verdict,) = OAuth2Backend().authenticate([presented(row.token)])
    return Grant(user_pk=verdict.user.pk, authentication=verdict.authentication)


def code_or_user(verdict):
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict and verdict.user


@pytest.fixture
def backend():
    return OAuth2Backend()


@pytest.fixture
def alice(db):
    return token_of(user_of("alice"))


def test_token_gives_the_scopes_and_the_dates_of_its_row(backend, alice):
    (verdict,) = backend.authenticate([presented(alice.token)])
    authentication = verdict.authentication
    assert authentication.token_id == hashlib.sha256(alice.token.encode()).hexdigest()[:32]
    assert authentication.scopes == {"read", "write"}
    assert authentication.issued_at == alice.created
    assert authentication.expires_at == alice.expires


def test_token_that_only_its_checksum_is_kept_of_is_accepted(backend, alice):
    text = alice.token
    AccessToken.objects.update(token="")
    (verdict,) = backend.authenticate([presented(text)])
    assert verdict.authentication.token_id == Secret(text).digest
    assert code_or_user(backend.revalidate([as_held(verdict)])[0]) == alice.user


def as_held(verdict):
    return Grant(user_pk=verdict.user.pk, authentication=verdict.authentication)


def test_token_that_is_nearly_one_is_unknown(backend, alice):
    assert backend.authenticate([presented(alice.token.upper()), presented("token")]) == [None] * 2


def test_token_of_a_machine_is_forbidden(backend, db):
    (verdict,) = backend.authenticate([presented(token_of(None).token)])
    assert (verdict.code, verdict.detail.slug) == (CloseReason.FORBIDDEN, "machine_token")


def test_token_of_a_client_that_is_switched_off_is_invalid(backend, db, monkeypatch):
    row = token_of(user_of("bob"), application=application(name="stolen"))
    assert code_or_user(*backend.authenticate([presented(row.token)])) == row.user
    monkeypatch.setattr(Application, "is_usable", lambda self, request: self.name != "stolen")
    (verdict,) = backend.authenticate([presented(row.token)])
    assert (verdict.code, verdict.detail.slug) == (CloseReason.TOKEN_INVALID, "client_off")


@pytest.mark.parametrize(
    ("audience", "is_accepted"),
    [(None, False), ("https://other.example/", False), ("https://api.example/ws", True)],
)
@pytest.mark.asvs("10.3.1")
def test_token_restricted_to_resources_is_for_these_alone(db, audience, is_accepted):
    row = token_of(user_of("bob"))
    if HAS_RESOURCES:
        AccessToken.objects.filter(pk=row.pk).update(resource=["https://api.example/"])
        expected = row.user if is_accepted else CloseReason.TOKEN_INVALID
    else:
        expected = row.user  # such versions don't know of resources
    (verdict,) = OAuth2Backend(audience=audience).authenticate([presented(row.token)])
    assert code_or_user(verdict) == expected
    if expected is not row.user:
        assert verdict.detail.slug == "wrong_resource"


@pytest.mark.hypothesis
class Rubbish(TestCase):
    @given(token=TOKENS)
    @times(0.25)
    def test_any_text_gives_a_verdict(self, token):
        backend = OAuth2Backend(pattern=".*")
        assert backend.recognizes(presented(token))
        assert backend.authenticate([presented(token)]) == [None]


@pytest.mark.parametrize(
    ("token", "is_claimed"),
    [("aZ9" * 10, True), ("aZ9" * 10 + "a", False), ("aZ-" * 10, False), ("a.b.c", False)],
)
def test_token_of_another_shape_is_not_claimed_and_asks_nothing(backend, token, is_claimed):
    assert backend.recognizes(presented(token)) is is_claimed


def test_shape_is_anybodys_where_the_site_makes_its_tokens(backend, settings):
    settings.OAUTH2_PROVIDER = {"ACCESS_TOKEN_GENERATOR": "secrets.token_hex"}
    assert backend.recognizes(presented("a.b.c"))
    assert not OAuth2Backend(pattern="[a-z]+").recognizes(presented("a.b.c"))


def test_pattern_that_is_none_is_an_error():
    (error,) = check(OAuth2Backend(pattern="("))
    assert error.id == "channels_token_auth.E162"


def test_schemes_are_that_of_rfc_6750(backend):
    assert backend.schemes == {"bearer"}


def test_revalidation_shows_the_row_as_it_is_now(backend, alice):
    before = held(alice)
    AccessToken.objects.update(scope="read", expires=alice.expires + HOUR)
    (verdict,) = backend.revalidate([before])
    assert verdict.user == alice.user
    assert verdict.authentication.scopes == {"read"}
    assert verdict.authentication.expires_at == alice.expires + HOUR
    assert verdict.authentication.token_id == before.authentication.token_id


def test_revalidation_is_one_query_with_verdicts_in_order(
    backend, alice, django_assert_num_queries
):
    revoked, expired, orphan, inactive = (token_of(user_of(name)) for name in "bcde")
    sockets = [held(row) for row in (revoked, alice, expired, orphan, inactive)]
    revoked.revoke()
    AccessToken.objects.filter(pk=expired.pk).update(expires=now())
    orphan.user.delete()
    get_user_model().objects.filter(pk=inactive.user.pk).update(is_active=False)
    with django_assert_num_queries(1) as asked:
        verdicts = [code_or_user(verdict) for verdict in backend.revalidate(sockets)]
    assert asked.captured_queries[0]["sql"].startswith("SELECT")
    assert verdicts == [
        CloseReason.TOKEN_REVOKED,
        alice.user,
        CloseReason.TOKEN_EXPIRED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
    ]


def test_revalidation_reads_no_other_rows_of_the_user(backend, alice):
    before, other = held(alice), token_of(alice.user)
    alice.delete()
    assert code_or_user(*backend.revalidate([before])) is CloseReason.TOKEN_REVOKED
    assert code_or_user(*backend.revalidate([held(other)])) == other.user


def test_end_revokes_the_token_and_what_would_renew_it(backend, alice):
    refresh, bob = refresh_token_of(alice), token_of(user_of("bob"))
    untouched, gone = refresh_token_of(bob), token_of(user_of("carol"))
    sockets = [held(alice), held(gone)]
    gone.delete()
    assert backend.revoke(sockets) == [True, True]
    assert list(AccessToken.objects.all()) == [bob]
    refresh.refresh_from_db()
    untouched.refresh_from_db()
    assert refresh.revoked is not None
    assert untouched.revoked is None


def test_end_finds_the_row_by_the_id_alone(backend, alice):
    bob = token_of(user_of("bob"))
    by_id = replace(held(bob), user_pk=None)
    assert backend.revoke([by_id]) == [True]
    assert AccessToken.objects.get() == alice
    assert backend.revoke([by_id]) == [True]


def test_end_keeps_the_moment_of_an_earlier_revocation(backend, alice):
    refresh = refresh_token_of(alice)
    RefreshToken.objects.update(revoked=now() - HOUR)
    refresh.refresh_from_db()
    earlier = refresh.revoked
    backend.revoke([held(alice)])
    refresh.refresh_from_db()
    assert refresh.revoked == earlier


def test_end_user_revokes_all_but_one_and_all_that_is_newer(backend, alice):
    user, hour_ago = alice.user, now() - HOUR
    old = token_of(user, age=2 * HOUR)
    kept = token_of(user, age=2 * HOUR)
    others = token_of(user_of("bob"), age=2 * HOUR)
    for row in (old, kept, others):
        refresh_token_of(row, age=2 * HOUR)
    refresh_token_of(alice)
    token_id = Secret(kept.token).digest
    assert backend.revoke_user(user.pk, except_token_id=token_id, issued_before=hour_ago)
    assert set(AccessToken.objects.all()) == {alice, kept, others}
    assert set(live_refresh_tokens()) == {f"of-{row.token}" for row in (alice, kept, others)}


def live_refresh_tokens():
    return RefreshToken.objects.filter(revoked=None).values_list("token", flat=True)


def test_token_issued_at_the_moment_counts_as_before(backend, alice):
    assert backend.revoke_user(alice.user.pk, except_token_id=None, issued_before=alice.created)
    assert not AccessToken.objects.exists()


def test_end_user_without_exceptions_revokes_everything(backend, alice):
    refresh_token_of(alice)
    token_of(alice.user, expires_in=-HOUR)
    assert backend.revoke_user(alice.user.pk, except_token_id=None, issued_before=None)
    assert not AccessToken.objects.exists()
    assert not live_refresh_tokens()


@pytest.fixture
def heard(backend):
    """Collect what the backend's signals announce."""
    with announcements(backend) as said:
        yield said


def revoked(heard):
    return [each for each in heard if isinstance(each, RevokedTokens)]


@pytest.mark.parametrize(
    "end",
    [
        lambda row: row.revoke(),
        lambda row: refresh_token_of(row).revoke(),
        lambda row: row.user.delete(),
        lambda row: OAuth2Backend().revoke([held(row)]),
        lambda row: AccessToken.objects.all().delete(),
    ],
)
def test_every_way_to_revoke_is_announced(heard, alice, end):
    user_pk = alice.user.pk
    end(alice)
    assert revoked(heard) == [RevokedTokens(user_pk=user_pk, token_id=Secret(alice.token).digest)]


def test_new_token_in_a_row_is_announced_only_where_it_is_saved(heard, alice):
    former = Secret(alice.token).digest
    alice.token = "n" * 30
    alice.save(update_fields=["scope"])
    assert revoked(heard) == []
    alice.save()
    replaced = RevokedTokens(user_pk=alice.user.pk, token_id=former, is_replaced=True)
    assert revoked(heard) == [replaced]


def test_tokens_of_nobody_and_expired_ones_are_deleted_in_silence(heard, db, settings):
    settings.OAUTH2_PROVIDER = {"CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL": 0}
    token_of(None).delete()
    token_of(user_of("bob"), expires_in=-HOUR)
    clear_expired()
    assert not AccessToken.objects.exists()
    assert revoked(heard) == []


def test_models_that_the_settings_name_are_used(settings):
    settings.OAUTH2_PROVIDER = {"ACCESS_TOKEN_MODEL": "oauth2_provider.IDToken"}
    assert OAuth2Backend().announcements()[0].sender is IDToken


def test_installed_package_passes_the_check(backend):
    assert check(backend) == []


def test_package_that_is_not_installed_is_an_error_that_says_what_to_add(backend, settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "oauth2_provider"]
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E161"
    assert "django-oauth-toolkit" in error.msg
    assert "'oauth2_provider'" in error.hint
