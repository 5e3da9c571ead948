"""The keys of `rest_framework.authtoken`."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.contract import RevokedTokens
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from tests.backends.checking import announcements, check

pytestmark = pytest.mark.database
LENGTH = 40  # of a key, and of its column


def presented(key, location=Location.HEADER):
    return Credential(location=location, secret=Secret(key))


def token_of(name, **fields):
    return Token.objects.create(user=get_user_model().objects.create(username=name, **fields))


@pytest.fixture
def backend():
    return DRFTokenBackend()


@pytest.fixture
def alice(db):
    return token_of("alice")


def test_key_gives_its_digest_and_its_date(backend, alice):
    (verdict,) = backend.authenticate([presented(alice.key)])
    authentication = verdict.authentication
    assert authentication.token_id == hashlib.sha256(alice.key.encode()).hexdigest()[:32]
    assert authentication.issued_at == alice.created
    assert timezone.is_aware(authentication.issued_at)
    assert (authentication.scopes, authentication.expires_at) == (frozenset(), None)


@pytest.mark.parametrize(
    "change", [str.upper, lambda key: key[:-1], lambda key: f"{key[:-1]}\u0101"]
)
def test_key_that_is_nearly_one_is_unknown(backend, alice, change):
    assert alice.key != change(alice.key)
    assert backend.authenticate([presented(change(alice.key))]) == [None]


def test_batch_is_one_query_with_verdicts_in_order(backend, db, django_assert_num_queries):
    tokens = [token_of(f"user {number}", is_active=number != 3) for number in range(8)]
    batch = [presented(token.key) for token in tokens]
    batch.insert(5, presented("unknown"))
    with django_assert_num_queries(1) as asked:
        verdicts = backend.authenticate(batch)
        names = [getattr(getattr(v, "user", v), "username", None) for v in verdicts]
    assert " IN (" in asked.captured_queries[0]["sql"], "it reads more rows than were asked for"
    expected = [token.user.username for token in tokens]
    expected.insert(5, None)
    expected[3] = None
    assert names == expected
    assert verdicts[5] is None
    assert verdicts[3].code is CloseReason.USER_INACTIVE


def held(token, key=None):
    """Return the grant of a socket that this token, or another key of its user, has opened."""
    (verdict,) = DRFTokenBackend().authenticate([presented(token.key)])
    token_id = Secret(key or token.key).digest
    authentication = replace(verdict.authentication, token_id=token_id)
    return Grant(user_pk=token.user.pk, authentication=authentication)


@pytest.mark.parametrize("needs_user", [True, False])
def test_revalidation_is_one_query_with_verdicts_in_order(
    backend, alice, django_assert_num_queries, needs_user
):
    replaced, deleted, deactivated = (token_of(name) for name in ("bob", "carol", "dave"))
    sockets = [
        held(replaced, key="0" * LENGTH),
        held(alice),
        held(deleted),
        held(deactivated),
        replace(held(alice), user_pk=replaced.user.pk),  # a key that is now another user's
    ]
    deleted.user.delete()
    get_user_model().objects.filter(pk=deactivated.user.pk).update(is_active=False)
    with django_assert_num_queries(1):
        verdicts = backend.revalidate([replace(each, needs_user=needs_user) for each in sockets])
    assert [v.code if isinstance(v, TokenAuthError) else v.user.pk for v in verdicts] == [
        CloseReason.TOKEN_REVOKED,
        alice.user.pk,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
        CloseReason.TOKEN_REVOKED,
    ]


def test_revalidation_reads_whole_users_only_for_who_needs_one(backend, alice):
    alone = [replace(held(alice), needs_user=False)]
    for asked, is_read in ((alone, False), ([*alone, held(alice)], True)):
        with CaptureQueriesContext(connection) as queries:
            backend.revalidate(asked)
        assert ("last_login" in queries[0]["sql"]) is is_read


def test_sweep_of_users_whose_activity_is_no_column_reads_what_it_is_made_of(
    backend, alice, monkeypatch
):
    made = property(lambda user: not user.email, lambda user, stored: None)
    monkeypatch.setattr(get_user_model(), "is_active", made)
    bob = token_of("bob", email="bob@example.com")
    verdicts = backend.revalidate([replace(held(alice), needs_user=False)])
    assert verdicts[0].user == alice.user
    asked = replace(held(alice, bob.key), user_pk=bob.user.pk, needs_user=False)
    (verdict,) = backend.revalidate([asked])
    assert verdict.code is CloseReason.USER_INACTIVE


def test_end_deletes_the_rows_and_says_so(backend, alice, django_assert_num_queries):
    bob, carol = token_of("bob"), token_of("carol")
    held_by_alice, held_by_bob = held(alice), held(bob)
    bob.delete()
    with django_assert_num_queries(2) as asked:  # the row is read once
        assert backend.revoke([held_by_alice, held_by_bob]) == [True, True]
    assert "user" in asked.captured_queries[0]["sql"], "it reads all keys, though it knows whose"
    assert list(Token.objects.all()) == [carol]


def test_end_deletes_the_row_of_a_model_whose_own_delete_keeps_it(backend, alice, monkeypatch):
    monkeypatch.setattr(Token, "delete", lambda token: None)
    assert backend.revoke([held(alice)]) == [True]
    assert not Token.objects.exists()


def test_end_of_several_tokens_deletes_them_together(backend, alice, django_assert_num_queries):
    bob, carol = token_of("bob"), token_of("carol")
    both = [held(alice), held(bob)]
    with django_assert_num_queries(3):
        assert backend.revoke(both) == [True, True]
    assert list(Token.objects.all()) == [carol]


def test_end_finds_the_row_by_the_id_alone_and_reads_no_more_than_keys(
    backend, alice, django_assert_num_queries
):
    bob = token_of("bob")
    by_id = replace(held(bob), user_pk=None)
    with django_assert_num_queries(3) as asked:
        assert backend.revoke([by_id]) == [True]
    assert "user" not in asked.captured_queries[0]["sql"]
    assert Token.objects.get() == alice
    assert backend.revoke([by_id]) == [True]


def test_end_leaves_the_key_that_took_the_place_of_the_ended_one(backend, alice):
    assert backend.revoke([held(alice, key="0" * LENGTH)]) == [True]
    assert Token.objects.get() == alice


@pytest.mark.parametrize(
    ("after", "is_kept"), [(timedelta(0), False), (timedelta(microseconds=-1), True), (None, False)]
)
def test_end_user_deletes_what_was_issued_by_then(backend, alice, after, is_kept):
    token_of("bob")
    before = None if after is None else alice.created + after
    assert backend.revoke_user(alice.user.pk, except_token_id=None, issued_before=before)
    assert Token.objects.filter(user=alice.user).exists() is is_kept
    assert Token.objects.filter(user__username="bob").exists()


def test_end_user_spares_the_token_that_is_named(backend, alice):
    token_id = Secret(alice.key).digest
    assert backend.revoke_user(alice.user.pk, except_token_id=token_id, issued_before=None)
    assert Token.objects.get() == alice


@pytest.mark.parametrize("deleted", [lambda token: token, lambda token: token.user])
def test_deletion_of_a_key_is_announced_by_cascade_too(backend, alice, deleted):
    expected = RevokedTokens(user_pk=alice.user.pk, token_id=Secret(alice.key).digest)
    with announcements(backend) as told:
        deleted(alice).delete()
    assert told == [expected]


@pytest.mark.parametrize(
    ("key", "is_claimed"),
    [
        ("0f" * 20, True),
        ("0f" * 20 + "0", False),
        ("0F" * 20, False),
        ("k", False),
        ("a.b.c", False),
    ],
)
def test_key_of_another_shape_is_not_claimed_and_asks_nothing(backend, key, is_claimed):
    assert backend.recognizes(presented(key)) is is_claimed


def test_pattern_of_the_site_goes_before_it():
    backend = DRFTokenBackend(pattern="key-[0-9]+")
    assert backend.recognizes(presented("key-7"))
    assert not backend.recognizes(presented("0f" * 20))


@pytest.mark.parametrize("pattern", [5, "(", b"a"])
def test_pattern_that_is_none_is_an_error(pattern):
    (error,) = check(DRFTokenBackend(pattern=pattern))
    assert error.id == "channels_token_auth.E102"


def test_schemes_are_those_of_rest_framework_and_of_rfc_6750(backend):
    assert backend.schemes == {"token", "bearer"}


def test_installed_model_passes_the_check(backend):
    assert check(backend) == []


def test_missing_authtoken_is_an_error_that_says_what_to_add(backend, settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if "authtoken" not in app]
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E101"
    assert "'authtoken.Token'" in error.msg
    assert "'rest_framework.authtoken'" in error.hint


@pytest.mark.parametrize("model", ["authtoken.NoModel", "no_app.Token", "Token", "", None])
def test_model_that_is_none_is_an_error(model):
    (error,) = check(DRFTokenBackend(model=model))
    assert error.id == "channels_token_auth.E101"
    assert repr(model) in error.msg


@pytest.mark.parametrize(
    ("model", "mistakes"),
    [("own_tokens.UUIDToken", 1), ("auth.Permission", 3), ("authtoken.TokenProxy", 0)],
)
def test_model_of_another_shape_is_an_error(settings, model, mistakes):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.backends.own_tokens"]
    errors = check(DRFTokenBackend(model=model))
    assert [each.id for each in errors] == ["channels_token_auth.E103"] * mistakes


@pytest.fixture
def own_backend(settings):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.backends.own_tokens"]
    return DRFTokenBackend(model="own_tokens.OwnToken")


def test_model_of_ones_own_is_asked(own_backend, alice, django_assert_num_queries):
    assert check(own_backend) == []
    with django_assert_num_queries(1):
        (verdict,) = own_backend.authenticate([presented(alice.key)])
    assert verdict.user == alice.user


def test_column_without_a_bound_may_hold_any_key(own_backend):
    assert own_backend.recognizes(presented("k" * (LENGTH + 1)))
