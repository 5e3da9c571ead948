"""One part of a revocation fails inside the caller's transaction, and the others are done."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import BaseTokenBackend, Revocations, revoke_token, revoke_user
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import site_authenticator
from tests.verification.odd_caches import Away, Remote
from tests.verification.odd_caches import cache as cache_of

pytestmark = pytest.mark.database
BACKENDS = "channels_token_auth.backends"
DRF = {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"}
SIMPLE_JWT = {"BACKEND": f"{BACKENDS}.simplejwt.SimpleJWTBackend"}


class Failing(BaseTokenBackend):
    """A backend of this database that fails as its query does."""

    name = "failing"
    schemes = frozenset({"bearer", "token"})
    revocations = Revocations.ROWS

    def authenticate(self, credentials):
        return [self.fail() for _ in credentials]

    def revalidate(self, grants):
        return [self.fail() for _ in grants]

    def revoke(self, grants):
        return [self.fail() for _ in grants]

    def revoke_user(self, user_pk, *, except_token_id, issued_before):
        self.fail()


class WithoutTable(Failing):
    """PostgreSQL refuses all further queries of the transaction, until a savepoint before."""

    def fail(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM no_such_table")


class WithDuplicate(Failing):
    """Django refuses all further queries of the atomic block."""

    def fail(self):
        User.objects.create(username="ada")


class AfterDeletion(Failing):
    """The rows that it has deleted are there again afterwards."""

    def fail(self):
        User.objects.filter(username="bob").delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM no_such_table")


@pytest.fixture(params=[WithoutTable, WithDuplicate, AfterDeletion])
def failing(request, site):
    path = f"{__name__}.{request.param.__name__}"
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": path}, DRF]}


def revoke_all(token):
    revoke_user(token.user)


def revoke_by_text(token):
    revoke_token(token.key)


def revoke_by_id(token):
    revoke_token(Secret(token.key).digest)


@pytest.mark.usefixtures("failing", "bob")
@pytest.mark.parametrize("revoke", [revoke_all, revoke_by_text, revoke_by_id])
def test_transaction_goes_on_after_a_backend_has_failed(token, revoke):
    with transaction.atomic():
        User.objects.create(username="grace")
        with suppress(TokenAuthError):
            revoke(token)
        User.objects.create(username="hedy")
    assert not Token.objects.exists()
    assert User.objects.filter(username__in=["bob", "grace", "hedy"]).count() == 3


@pytest.mark.usefixtures("bob")
def test_rows_of_a_failed_step_are_not_reported(site, token, told):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": f"{__name__}.AfterDeletion"}, DRF]}
    with transaction.atomic(), pytest.raises(TokenAuthError):
        revoke_user(token.user)
    assert [given["token_id"] for _, given in told] == [Secret(token.key).digest]


# -- Denials that fail after the commit


@pytest.fixture
def jwt(site, ada):
    site.CACHES = cache_of(Remote)
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT, DRF], "REFUSAL": "close"}
    token = AccessToken.for_user(ada)
    token.set_iat(at_time=datetime.now(UTC) - timedelta(minutes=1))
    return str(token)


def deactivate(user):
    user.is_active = False
    user.save()


def change_password(user):
    user.set_password("another")
    user.save()


def revoke(user):
    revoke_user(user)


ENDS = [deactivate, change_password, revoke, User.delete]


@pytest.mark.usefixtures("jwt")
@pytest.mark.parametrize("end", ENDS)
def test_failed_denial_is_logged_and_reported_as_no_revocation(site, ada, told, caplog, end):
    site.CACHES = cache_of(Away)
    with transaction.atomic():
        end(ada)
    assert told == []
    assert "CacheUnavailable" in caplog.text


@pytest.mark.parametrize("end", ENDS)
async def test_sockets_close_though_the_denial_fails(site, sockets, ada, jwt, end):
    def end_without_a_cache():
        site.CACHES = cache_of(Away)
        with transaction.atomic():
            end(ada)

    socket = await sockets(jwt, scheme="Bearer")
    await sync_to_async(end_without_a_cache)()
    assert await socket.closes() in {4410, 4423}


@pytest.mark.usefixtures("jwt")
def test_deleted_row_is_reported_though_a_denial_of_the_same_transaction_fails(
    site, ada, token, told
):
    site.CACHES = cache_of(Away)
    with transaction.atomic():
        revoke_user(ada)
    assert [given["token_id"] for _, given in told] == [Secret(token.key).digest]


def fail():
    raise ValueError("a callback of the site")


@pytest.mark.parametrize("end", ENDS)
def test_callback_of_the_site_that_raises_keeps_no_token_alive(ada, jwt, end):
    def end_behind_a_callback():
        with transaction.atomic():
            transaction.on_commit(fail)
            with transaction.atomic():
                end(User.objects.get(pk=ada.pk))

    with pytest.raises(ValueError, match="callback"):
        end_behind_a_callback()
    User.objects.update_or_create(pk=ada.pk, defaults={"username": "ada", "is_active": True})
    credential = Credential(location=Location.HEADER, secret=Secret(jwt))
    (verdict,) = site_authenticator().chain.authenticate([credential])
    assert isinstance(verdict, TokenAuthError)
