"""Bounds of a site's arguments, and the errors of calls that can do nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models.signals import post_delete
from knox.models import AuthToken
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import Revocations, arevoke_user, disconnect, revoke_token, revoke_user
from channels_token_auth.backends.contract import RevocationSignal, RevokedTokens
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node import bulk_close, node
from channels_token_auth.revocation import shared_cache
from channels_token_auth.verification.authenticator import site_authenticator
from tests.connection.sockets import open_sockets
from tests.threads import in_thread
from tests.verification.odd_caches import Away, cache

JWT = "channels_token_auth.backends.simplejwt.SimpleJWTBackend"


class Broken(DRFTokenBackend):
    """Its store is away."""

    def authenticate(self, credentials):
        raise OperationalError("connection refused")


class Whole(DRFTokenBackend):
    """A row that goes takes all of its user's tokens with it, and keeps no note of them."""

    revocations = Revocations.NOWHERE

    def announcements(self):
        return [RevocationSignal(signal=post_delete, sender=Token, tokens=self._ended)]

    def _ended(self, instance, **_):
        return [RevokedTokens(user_pk=instance.user_id, is_denied=True)]


def use(site, backend):
    path = backend if isinstance(backend, str) else f"{__name__}.{backend.__name__}"
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "BACKENDS": [{"BACKEND": path}]}


def test_disconnect_needs_an_argument():
    with pytest.raises(TypeError, match="connection_id"):
        disconnect()


def test_token_of_a_store_that_is_away_is_not_called_revoked(site, told):
    use(site, Broken)
    with pytest.raises(TokenAuthError) as refused:
        revoke_token("0" * 40)
    assert refused.value.code is CloseReason.UNAVAILABLE
    assert told == []


def test_token_that_cannot_be_denied_is_not_called_revoked(site, ada):
    use(site, JWT)
    site.CACHES = cache(Away)
    with pytest.raises(TokenAuthError) as refused:
        revoke_user(ada)
    assert refused.value.code is CloseReason.UNAVAILABLE


def test_moment_of_the_epoch_itself_is_one_and_denies_no_later_token(site, ada, monkeypatch):
    # As after any test that builds a middleware: without sockets, nothing would be denied here.
    monkeypatch.setattr(shared_cache, "serves_sockets", lambda: True)
    use(site, JWT)
    token = str(AccessToken.for_user(ada))
    revoke_user(ada, issued_before=datetime.fromtimestamp(0, UTC))
    credential = Credential(location=Location.HEADER, secret=Secret(token))
    (verdict,) = site_authenticator().chain.authenticate([credential])
    assert isinstance(verdict, Identity)


def test_token_that_is_unknown_is_revoked_by_its_digest(ada, told):
    revoke_token("0" * 40)
    assert [given["token_id"] for _, given in told] == [Secret("0" * 40).digest]


async def test_own_authentication_may_be_excepted(sockets, site, ada):
    use(site, "channels_token_auth.backends.knox.KnoxTokenBackend")
    keys = [(await in_thread(AuthToken.objects.create, ada))[1] for _ in range(2)]
    mine, other = [await sockets(key, scheme="Bearer", path=f"/{key}/") for key in keys]
    await arevoke_user(ada, except_token=connection_of(mine).inner_scope()["auth"])
    assert await other.closes() == 4410
    assert mine.code is None


async def test_backend_may_end_all_of_a_users_tokens_at_once(sockets, site, token):
    use(site, Whole)
    socket = await sockets(token.key)
    await Token.objects.all().adelete()
    assert await socket.closes() == 4410


async def test_socket_with_another_token_by_its_turn_is_passed_over(sockets, token, monkeypatch):
    """Closing takes several turns of the event loop, in which a socket may reauthenticate."""
    monkeypatch.setattr(bulk_close, "SLICE", 1)
    opened = [await sockets(token.key, path=f"/{number}/") for number in range(3)]
    revocation = Revocation(
        target=Target(token_id=Secret(token.key).digest), code=CloseReason.TOKEN_REVOKED
    )
    node.here().revoke([revocation])
    waiting = next(each for each in opened if connection_of(each).disconnect is None)
    auth = connection_of(waiting).inner_scope()["auth"]
    auth.replace(replace(auth.current, token_id="another"))
    for socket in opened:
        assert socket is waiting or await socket.closes() == 4410
    assert await waiting.stays()


def connection_of(socket):
    return next(each for each in open_sockets() if each.path == socket.scope["path"])


def test_user_whose_row_has_gone_may_still_be_revoked(told):
    revoke_user(User(pk=999))
    assert [given["user_id"] for _, given in told] == ["999"]
