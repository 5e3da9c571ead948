"""Revocations while a store is unavailable: what can be done is done, and the rest is reported."""

import os
import subprocess
import sys
from contextlib import suppress
from typing import ClassVar

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, transaction
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import BaseTokenBackend, Revocations, arevoke_token, arevoke_user
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.revocation import shared_cache
from tests.revocation.test_commands import manage
from tests.verification.odd_caches import Away, Remote
from tests.verification.odd_caches import cache as cache_of

pytestmark = pytest.mark.database
BACKENDS = "channels_token_auth.backends"
DRF = {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"}
SIMPLE_JWT = {"BACKEND": f"{BACKENDS}.simplejwt.SimpleJWTBackend"}


class Store(BaseTokenBackend):
    """A remote store that is unavailable, and notes what it is asked."""

    name = "remote"
    schemes = frozenset({"bearer", "token"})
    revocations = Revocations.ROWS
    asked: ClassVar[list[str]] = []

    def authenticate(self, credentials):
        self.asked.extend(each.secret.reveal() for each in credentials)
        raise OperationalError("connection refused")

    def revalidate(self, grants):
        raise OperationalError("connection refused")

    def revoke(self, grants):
        raise OperationalError("connection refused")

    def revoke_user(self, user_pk, *, except_token_id, issued_before):
        raise OperationalError("connection refused")


REMOTE = {"BACKEND": f"{__name__}.Store"}


@pytest.fixture(autouse=True)
def store(site):
    site.CACHES = cache_of(Remote)
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF, REMOTE], "REFUSAL": "close"}
    Store.asked.clear()
    return site


@pytest.fixture
async def socket(sockets, token):
    return await sockets(token.key)


async def test_id_is_revoked_where_it_can_be_and_presented_nowhere(socket, token, caplog):
    with pytest.raises(TokenAuthError, match="unavailable") as refused:
        await arevoke_token(Secret(token.key).digest)
    assert refused.value.detail.slug == "not_all_revoked"
    assert "'remote'" in refused.value.detail.remedy
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()
    assert Store.asked == []
    assert "'remote'" in caplog.text


async def test_uuid_is_presented_nowhere(store):
    with pytest.raises(TokenAuthError):
        await arevoke_token("6f1f34d2-7c3e-4d3b-9d6a-0123456789ab")
    assert Store.asked == []


@pytest.mark.parametrize("order", [[DRF, REMOTE], [REMOTE, DRF]])
async def test_token_of_an_available_backend_is_revoked_as_always(store, sockets, token, order):
    socket = await sockets(token.key) if order[0] is DRF else None
    store.CHANNELS_TOKEN_AUTH = {"BACKENDS": order}
    await arevoke_token(token.key)
    assert not await Token.objects.aexists()
    assert socket is None or await socket.closes() == 4410


async def test_token_that_nobody_knows_may_be_the_unavailable_backends(caplog):
    raw = "ab" * 20
    with pytest.raises(TokenAuthError, match="unavailable") as refused:
        await arevoke_token(raw)
    assert "'remote'" in refused.value.detail.remedy
    assert raw not in caplog.text


@pytest.mark.asvs("2.3.3")
async def test_all_of_a_user_is_revoked_where_it_can_be(socket, token):
    with pytest.raises(TokenAuthError, match="unavailable"):
        await arevoke_user(token.user)
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()


async def test_stateless_tokens_are_denied_though_a_store_is_unavailable(store, sockets, ada):
    store.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT, REMOTE], "REFUSAL": "close"}
    raw = str(AccessToken.for_user(ada))
    socket = await sockets(raw, scheme="Bearer")
    with pytest.raises(TokenAuthError):
        await arevoke_user(ada)
    assert await socket.closes() == 4410
    assert await (await sockets(raw, scheme="Bearer")).closes() == 4410


async def test_rows_are_revoked_though_the_cache_fails(store, socket, token):
    store.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF, SIMPLE_JWT]}
    store.CACHES = cache_of(Away)
    with pytest.raises(TokenAuthError) as refused:
        await arevoke_user(token.user)
    assert "'denylist'" in refused.value.detail.remedy
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()


async def test_command_revokes_what_it_can_and_names_the_rest(socket, token):
    code, _, error = await manage("token_revoke", Secret(token.key).digest)
    assert (code, "'remote'" in error) == (1, True)
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()


# -- A cache that no other process reads


@pytest.fixture
def alone(store, monkeypatch, request):
    """A process that serves no sockets, on a site whose cache is each process's own.

    Once in a process, a warning names the cache: each test has one of its own.
    """
    name = request.node.name
    caches = cache_of("django.core.cache.backends.locmem.LocMemCache")
    store.CACHES = caches | {name: caches["default"]}
    store.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [DRF, SIMPLE_JWT],
        "REFUSAL": "close",
        "CACHE": name,
    }
    monkeypatch.setattr(shared_cache, "serves_sockets", lambda: False)
    return monkeypatch


async def test_process_without_sockets_and_a_shared_cache_revokes_nothing(alone, token, told):
    with pytest.raises(TokenAuthError, match="unavailable") as refused:
        await arevoke_user(token.user)
    assert refused.value.detail.slug == "cache_not_shared"
    assert "'simplejwt'" in refused.value.detail.remedy
    assert await Token.objects.aexists()
    assert told == []


async def test_process_without_sockets_revokes_tokens_that_have_rows(alone, token):
    await arevoke_token(token.key)
    assert not await Token.objects.aexists()


async def test_process_that_serves_sockets_revokes_for_itself_and_warns_once(
    alone, sockets, ada, caplog
):
    alone.setattr(shared_cache, "serves_sockets", lambda: True)
    raw = str(AccessToken.for_user(ada))
    socket = await sockets(raw, scheme="Bearer")
    for _ in range(2):
        await arevoke_user(ada)
    assert await socket.closes() == 4410
    assert [each.levelname for each in caplog.records if "'simplejwt'" in each.message] == [
        "WARNING"
    ]


def warnings_of(caplog):
    return [each.message for each in caplog.records if "'simplejwt'" in each.message]


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
def test_signal_in_a_process_without_sockets_warns_once_that_tokens_stay_valid(
    alone, ada, caplog, change
):
    """Whoever saved the user cannot be refused: the denial would be silent."""
    for _ in range(2):
        if "password" in change:
            ada.set_password(change["password"])
        else:
            ada.is_active = False
        ada.save()
    (warning,) = warnings_of(caplog)
    assert "CACHE" in warning


def test_change_that_is_rolled_back_warns_of_nothing(alone, ada, caplog):
    with suppress(LookupError), transaction.atomic():
        ada.is_active = False
        ada.save()
        raise LookupError
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("has_sockets", [True, False])
def test_signal_whose_denial_the_servers_find_warns_of_nothing(
    alone, store, ada, caplog, has_sockets
):
    alone.setattr(shared_cache, "serves_sockets", lambda: has_sockets)
    if not has_sockets:
        store.CACHES = dict.fromkeys(store.CACHES, cache_of(Remote)["default"])
    ada.is_active = False
    ada.save()
    assert warnings_of(caplog) == []


def test_process_serves_sockets_once_its_middleware_is_built():
    """Its node starts with the first socket, and a view may revoke before that."""
    program = """
import django
django.setup()
from channels_token_auth.cluster.local_nodes import serves_sockets
from channels_token_auth.middleware import TokenAuthMiddleware
before = serves_sockets()
TokenAuthMiddleware(None)
print(before, serves_sockets())
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True, env=environment).split() == ["False", "True"]


async def test_id_of_a_named_backend_is_presented_to_no_other(store, sockets, ada):
    store.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT, REMOTE], "REFUSAL": "close"}
    token = await sync_to_async(AccessToken.for_user)(ada)
    token["jti"] = "of-any-shape"
    socket = await sockets(str(token), scheme="Bearer")
    await arevoke_token("of-any-shape", user=ada, backend="simplejwt")
    assert await socket.closes() == 4410
    assert await (await sockets(str(token), scheme="Bearer")).closes() == 4410
    assert "of-any-shape" not in Store.asked


async def test_cache_that_cannot_be_built_is_unavailable(store, socket, token):
    store.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF, SIMPLE_JWT]}
    store.CACHES = {"default": {"BACKEND": "missing.Cache"}}
    with pytest.raises(TokenAuthError, match="unavailable"):
        await arevoke_user(token.user)
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()
    store.CACHES = cache_of(Remote)  # the fixture clears it
