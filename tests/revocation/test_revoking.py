"""Functions that revoke tokens, and the closes of their sockets."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from channels_token_auth import (
    aconnections,
    adisconnect,
    arevoke_token,
    arevoke_user,
    disconnect,
    revoke_token,
    revoke_user,
)
from channels_token_auth.core.credentials import Secret
from tests.threads import in_thread


@pytest.mark.asvs("7.4.1")
async def test_revoked_token_closes_its_socket_with_4410(sockets, token):
    socket = await sockets(token.key)
    await arevoke_token(token.key)
    assert await socket.closes() == 4410


async def test_revoked_token_has_no_row_any_more(token):
    await arevoke_token(token.key)
    assert not await Token.objects.aexists()


async def test_token_is_revoked_by_its_id(sockets, token):
    socket = await sockets(token.key)
    await arevoke_token(Secret(token.key).digest)
    assert await socket.closes() == 4410
    assert not await Token.objects.aexists()


def test_unknown_token_is_looked_for_once_as_a_headers_and_once_as_a_cookies():
    with CaptureQueriesContext(connection) as asked:
        revoke_token("0" * 40)
    assert sum("0" * 40 in each["sql"] for each in asked.captured_queries) == 2


async def test_other_users_stay(sockets, token, bob):
    other = await sockets((await Token.objects.acreate(user=bob)).key)
    await arevoke_user(token.user)
    assert await other.stays()


async def test_deleting_the_row_is_enough(sockets, token):
    socket = await sockets(token.key)
    await token.adelete()
    assert await socket.closes() == 4410


async def test_queryset_delete_is_enough(sockets, token):
    socket = await sockets(token.key)
    await Token.objects.all().adelete()
    assert await socket.closes() == 4410


@pytest.mark.asvs("7.4.2")
async def test_deactivation_closes_with_4423(sockets, token):
    socket = await sockets(token.key)
    token.user.is_active = False
    await token.user.asave()
    assert await socket.closes() == 4423


@pytest.mark.asvs("7.4.2")
async def test_deletion_of_the_user_closes_with_4410(sockets, token):
    socket = await sockets(token.key)
    await token.user.adelete()
    assert await socket.closes() == 4410


async def test_rollback_revokes_nothing(sockets, token):
    socket = await sockets(token.key)

    def roll_back():
        with transaction.atomic():
            revoke_token(token.key)
            transaction.set_rollback(True)

    await sync_to_async(roll_back)()
    assert await socket.stays()
    assert await Token.objects.aexists()


async def test_nothing_is_closed_before_the_commit(sockets, token):
    socket = await sockets(token.key)
    inside, committed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold_back():
        with transaction.atomic():
            revoke_token(token.key)
            loop.call_soon_threadsafe(inside.set)
            asyncio.run_coroutine_threadsafe(committed.wait(), loop).result(60)

    task = asyncio.create_task(in_thread(hold_back))
    await inside.wait()
    assert await socket.stays()
    committed.set()
    await task
    assert await socket.closes() == 4410


async def test_disconnect_closes_and_the_token_is_good_still(sockets, token):
    socket = await sockets(token.key)
    await adisconnect(user=token.user)
    assert await socket.closes() == 4410
    again = await sockets(token.key)
    assert await again.stays()


async def test_connections_are_listed(sockets, token):
    await sockets(token.key, client=["192.0.2.7", 1234])
    found = await aconnections(user=token.user)
    (connection,) = found.connections
    assert (connection.user_id, connection.address) == (str(token.user_id), "192.0.2.7")
    assert found.total == 1
    assert not found.missing


async def test_answer_that_arrives_while_the_event_loop_is_blocked_counts(sockets, token):
    await sockets(token.key)
    asyncio.get_running_loop().call_soon(time.sleep, 0.2)
    found = await aconnections(user=token.user, timeout=0.1)
    assert (found.total, found.is_complete) == (1, True)


async def test_session_after_a_change_of_password_opens_sockets(sockets, site, ada):
    """As its tokens without a row are denied, the user has to be let in by what comes later."""
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.session.SessionBackend"}],
        "LOCATIONS": ["cookie"],
        "COOKIE_NAME": "sessionid",
        "ALLOWED_ORIGINS": ["http://testserver"],
    }
    before = await sockets(await session_of(ada), cookie="sessionid")
    ada.set_password("another")
    await ada.asave()
    assert await before.closes() == 4410
    after = await sockets(await session_of(ada), cookie="sessionid")
    assert await after.stays()


async def session_of(user):
    client = AsyncClient()
    await client.aforce_login(user)
    return client.cookies["sessionid"].value


@pytest.mark.parametrize("user", [None, User(), AnonymousUser(), ""])
def test_nobody_has_no_tokens_to_revoke(user, token):
    """Machine tokens belong to no user: None must not mean all of them."""
    with pytest.raises(TypeError):
        revoke_user(user)
    with pytest.raises(TypeError):
        disconnect(user=user)
    assert Token.objects.filter(key=token.key).exists()
