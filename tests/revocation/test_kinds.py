"""Every kind of token, ended in every way: its socket closes, and it opens no other one."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async

from channels_token_auth import arevoke_token, arevoke_user
from channels_token_auth.core.credentials import Location
from tests.connection.sockets import open_sockets
from tests.matrix.kind import LATER, State, new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import site as site_of

pytestmark = pytest.mark.database

ENDED = {4401, 4410, 4423}
UNSEEN = {("introspection", State.REVOKED), ("rest_framework", State.REVOKED)}
"""Tokens that another server or class ends without a signal: only a sweep detects it."""

UNTOLD = {"rest_framework"}
"""Kinds whose class refuses an inactive user before it identifies the token."""

ONE_EACH = {"drf", "jwt"}
"""Kinds with one token for each user: DRF has one row, and two JWTs of a second are equal."""


@pytest.fixture(params=KINDS, ids=repr)
def kind(request, site):
    with site_of(request.param):
        yield request.param


@pytest.fixture
def user(transactional_db):
    return new_user()


@pytest.fixture
def present(kind, sockets):
    """Opens a socket with a token of this kind."""

    async def present(token):
        cookie = None if Location.HEADER in kind.locations else kind.cookie
        socket = await sockets(token, scheme="Bearer", cookie=cookie)
        socket.token = token
        return socket

    return present


@pytest.fixture
async def socket(kind, user, present):
    socket = await present(await sync_to_async(kind.valid)(user))
    assert socket.code is None
    return socket


@pytest.mark.asvs("6.3.4", "7.4.1")
async def test_revoked_token_closes_and_does_not_come_again(socket, present):
    await arevoke_token(socket.token)
    assert await socket.closes() == 4410
    assert (await present(socket.token)).code in ENDED


async def test_token_of_an_inactive_user_is_gone_when_he_is_active_again(
    kind, socket, present, user
):
    users = type(user)._default_manager.filter(pk=user.pk)
    await users.aupdate(is_active=False)
    (connection,) = open_sockets()
    await arevoke_token(connection.token_id if kind.name in UNTOLD else socket.token)
    await users.aupdate(is_active=True)
    assert await socket.closes() == 4410
    assert (await present(socket.token)).code in ENDED


async def test_token_revoked_by_its_id_closes_and_does_not_come_again(socket, present, user):
    (connection,) = open_sockets()
    await arevoke_token(connection.token_id, user=user)
    assert await socket.closes() == 4410
    assert (await present(socket.token)).code in ENDED


async def test_token_revoked_by_its_id_alone_is_found(socket, present):
    (connection,) = open_sockets()
    await arevoke_token(connection.token_id)
    assert await socket.closes() == 4410
    assert (await present(socket.token)).code in ENDED


async def test_revoked_user_does_not_come_again_and_others_stay(socket, present, user, kind):
    other = await present(await sync_to_async(lambda: kind.valid(new_user()))())
    await arevoke_user(user)
    assert await socket.closes() == 4410
    assert (await present(socket.token)).code in ENDED
    assert other.code is None
    assert (await present(other.token)).code is None


async def test_excepted_token_stays_and_comes_again(socket, present, user, kind):
    count = 0 if kind.name in ONE_EACH else 1
    others = [await present(await sync_to_async(kind.valid)(user)) for _ in range(count)]
    await arevoke_user(user, except_token=socket.token)
    for other in others:
        assert await other.closes() == 4410
    assert socket.code is None
    assert (await present(socket.token)).code is None


async def test_token_issued_later_stays_and_one_of_unknown_age_does_not(socket, present, user):
    (connection,) = open_sockets()
    is_later = connection.issued_at is not None
    await arevoke_user(user, issued_before=datetime.now(UTC) - timedelta(days=1))
    if is_later:
        assert await socket.stays()
        assert (await present(socket.token)).code is None
    else:
        assert await socket.closes() == 4410


@pytest.mark.parametrize("event", LATER)
async def test_what_happens_to_a_token_closes_its_socket(event, kind, socket, user):
    if event not in kind.events or (kind.name, event) in UNSEEN:
        event = State.DELETED_USER
    await sync_to_async(kind.events[event])(socket.token, user)
    assert await socket.closes() == LATER[event].close_code


@pytest.mark.asvs("7.4.3")
async def test_changed_password_closes_and_ends_what_has_no_row(kind, socket, present, user):
    user.set_password("another")
    await user.asave()
    is_kept = kind.name in ("drf", "knox", "oauth2")
    assert await socket.closes() == (4419 if is_kept else 4410)
    assert ((await present(socket.token)).code is None) == is_kept
