"""Three layers, of which each closes sockets by itself: here the sweep, with all else silent."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from knox.models import AuthToken
from rest_framework.authtoken.models import Token

from channels_token_auth import Revocations
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node import bulk_close
from channels_token_auth.node.node import here
from channels_token_auth.verification.authenticator import site_authenticator
from tests.connection.server import ACCEPT
from tests.connection.sockets import open_sockets
from tests.revocation.conftest import Socket
from tests.verification.odd_caches import Away, cache

pytestmark = pytest.mark.database

KNOX = "channels_token_auth.backends.knox.KnoxTokenBackend"


class Moody(DRFTokenBackend):
    """Says what a test wants it to say, of tokens that it accepted before."""

    is_away = False
    asked = ()

    def __init__(self):
        super().__init__(name="moody")

    def revalidate(self, held):
        Moody.asked = held
        if Moody.is_away:
            raise OperationalError("connection refused")
        return super().revalidate(held)


def scopes(user, authentication):
    return user.first_name.split()


@pytest.fixture(autouse=True)
def _short(site):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_INTERVAL": 0.2}


@pytest.fixture
def moody(site, monkeypatch):
    monkeypatch.setattr(Moody, "is_away", True)
    monkeypatch.setattr(Moody, "asked", ())
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [{"BACKEND": f"{__name__}.Moody"}],
    }
    return Moody


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


async def test_row_deleted_by_raw_sql_closes_with_4410(sockets, token):
    socket = await sockets(token.key)
    await sync_to_async(execute)("DELETE FROM authtoken_token")
    assert await socket.closes() == 4410


async def test_sweep_lets_backends_skip_the_users(moody, sockets, token):
    socket = await sockets(token.key)
    await socket.eventually(lambda: moody.asked)
    assert [each.needs_user for each in moody.asked] == [False]


@pytest.mark.asvs("7.4.2")
async def test_user_deactivated_by_update_closes_with_4423(sockets, token):
    socket = await sockets(token.key)
    await User.objects.aupdate(is_active=False)
    assert await socket.closes() == 4423


async def test_expiry_that_was_moved_by_update_closes_with_4419(site, sockets, ada):
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [{"BACKEND": KNOX}],
    }
    _, key = await sync_to_async(AuthToken.objects.create)(ada)
    socket = await sockets(key, scheme="Bearer")
    await AuthToken.objects.aupdate(expiry=datetime.now(UTC) - timedelta(seconds=1))
    assert await socket.closes() == 4419


async def test_nobody_else_is_closed(sockets, token, bob):
    other = await sockets((await Token.objects.acreate(user=bob)).key)
    socket = await sockets(token.key)
    await User.objects.filter(pk=token.user_id).aupdate(is_active=False)
    await socket.closes()
    assert other.code is None


async def test_anonymous_socket_is_nobodys_to_ask_about(site, sockets, token):
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "LOCATIONS": ["header"],
        "ANONYMOUS": True,
    }
    anonymous, socket = await sockets(None), await sockets(token.key)
    await sync_to_async(execute)("DELETE FROM authtoken_token")
    assert await socket.closes() == 4410
    assert anonymous.code is None


async def test_sockets_stay_while_their_store_is_away_and_go_when_it_is_back(
    moody, sockets, token, caplog
):
    socket = await sockets(token.key)
    await sync_to_async(execute)("DELETE FROM authtoken_token")
    await socket.eventually(lambda: "unavailable: its sockets stay" in caplog.text)
    assert socket.code is None
    moody.is_away = False
    assert await socket.closes() == 4410


async def test_grace_closes_with_4503(moody, site, sockets, token):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_GRACE": 0.2}
    socket = await sockets(token.key)
    assert await socket.closes() == 4503


async def test_dead_cache_closes_no_socket(site, sockets, ada, monkeypatch, caplog):
    """Tokens that have no row stand by the denylist."""
    monkeypatch.setattr(Moody, "revocations", Revocations.NOWHERE)
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [{"BACKEND": f"{__name__}.Moody"}],
    }
    token = await Token.objects.acreate(user=ada)
    monkeypatch.setattr(Away, "is_away", False)
    site.CACHES = cache(Away)
    socket = await sockets(token.key)
    monkeypatch.setattr(Away, "is_away", True)
    await socket.eventually(lambda: "unavailable: its sockets stay" in caplog.text)
    assert socket.code is None
    monkeypatch.setattr(Away, "is_away", False)
    denylist = site_authenticator().denylist
    token_id = open_sockets()[0].token_id
    await sync_to_async(denylist.deny_token)(token_id, backend="moody")
    assert await socket.closes() == 4410


@pytest.mark.asvs("8.3.2")
async def test_lost_scope_closes_with_4403_and_a_new_one_is_seen(site, sockets, ada, bob):
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [
            {
                "BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend",
                "SCOPES": f"{__name__}.scopes",
            }
        ],
        "SCOPES": ["read"],
    }
    await User.objects.aupdate(first_name="read")
    opened = [await sockets((await Token.objects.acreate(user=user)).key) for user in (ada, bob)]
    await User.objects.filter(pk=ada.pk).aupdate(first_name="write")
    await User.objects.filter(pk=bob.pk).aupdate(first_name="read write")
    assert await opened[0].closes() == 4403
    (left,) = (each for each in open_sockets() if each.user_id == str(bob.pk))
    await opened[1].eventually(lambda: left.grant.authentication.scopes == {"read", "write"})
    assert opened[1].code is None


async def test_many_sockets_are_closed_in_slices_and_all_of_them(sockets, token, monkeypatch):
    monkeypatch.setattr(bulk_close, "SLICE", 2)
    opened = [await sockets(token.key) for _ in range(7)]
    await token.adelete()
    assert [await socket.closes() for socket in opened] == [4410] * 7


async def test_applications_get_their_disconnect_when_all_are_closed(token, monkeypatch):
    monkeypatch.setattr(bulk_close, "SLICE", 1)
    opened, heard = [], []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        heard.append([each.code for each in opened])

    middleware = TokenAuthMiddleware(application)
    for _ in range(4):
        opened.append(Socket(token.key))
        await opened[-1].open(middleware)
    await token.adelete()
    await asyncio.gather(*(each.task for each in opened))
    assert heard == [[4410] * 4] * 4


async def test_message_that_makes_no_sense_is_logged_and_closes_nobody(sockets, token, caplog):
    socket = await sockets(token.key)
    for message in (
        {"kind": "revoke"},
        {"kind": "revoke", "revocations": [{}]},
        {
            "kind": "revoke",
            "revocations": [{"target": {"from_the_future": 1}, "code": "token_revoked"}],
        },
        {"kind": "revoke", "revocations": 5},
        {"kind": "of the future"},
    ):
        here().handle(message)
    levels = [each.levelname for each in caplog.records if each.name == "channels_token_auth"]
    assert levels == ["ERROR"] * 4
    assert socket.code is None
