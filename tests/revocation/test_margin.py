"""Tokens revoked with a margin: open sockets may be given fresh ones, and nothing else opens."""

import asyncio
import json
import threading
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import (
    adisconnect,
    arevoke,
    arevoke_user,
    revoke,
    revoke_token,
    revoke_user,
)
from channels_token_auth.backends.drf import DRFTokenBackend
from tests.connection.sockets import open_sockets
from tests.revocation.test_commands import manage
from tests.verification.odd_caches import Remote
from tests.verification.odd_caches import cache as cache_of

pytestmark = pytest.mark.database
SIMPLE_JWT = {"BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend"}
DRF = {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}


@pytest.fixture(autouse=True)
def site(site):
    site.CACHES = cache_of(Remote)
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [SIMPLE_JWT, DRF],
        "REFUSAL": "close",
        "SWEEP_INTERVAL": 0.2,
    }
    return site


@pytest.fixture
def issue(ada):
    def issue(age=0, **claims):
        token = AccessToken.for_user(ada)
        token.payload.update(claims)
        token.set_iat(at_time=datetime.now(UTC) - timedelta(seconds=age))
        return str(token)

    return sync_to_async(issue)


@pytest.fixture
def talk(sockets):
    """Opens a socket whose client gets messages."""

    async def talk(raw):
        socket = await sockets(raw, scheme="Bearer", subprotocols=["token-auth.v1"])
        await heard(socket, "auth.ok")
        return socket

    return talk


def messages(socket):
    texts = (each.get("text") for each in socket.server.sent)
    return [json.loads(text) for text in texts if text]


async def heard(socket, kind):
    """The last message of this kind."""
    await socket.eventually(lambda: any(each["type"] == kind for each in messages(socket)))
    return [each for each in messages(socket) if each["type"] == kind][-1]


def must_renew():
    """Return whether the only open socket has been given its deadline."""
    (connection,) = open_sockets()
    return connection.must_renew


def say(socket, token):
    text = json.dumps({"type": "auth", "token": token})
    socket.server.inbox.put_nowait({"type": "websocket.receive", "text": text})


@pytest.mark.asvs("7.4.1")
async def test_open_socket_is_warned_at_once_and_the_old_token_opens_no_other(
    talk, sockets, issue, ada
):
    old = await issue(age=60)
    socket = await talk(old)
    await arevoke_user(ada, margin=30)
    assert 15 < (await heard(socket, "auth.expiring"))["expires_in"] <= 30
    assert await socket.stays()
    assert await (await sockets(old, scheme="Bearer")).closes() == 4410


async def test_fresh_token_keeps_the_socket_beyond_the_deadline(time, talk, issue, ada):
    socket = await talk(await issue(age=60))
    await arevoke_user(ada, margin=30)
    await heard(socket, "auth.expiring")
    said = len(messages(socket))
    say(socket, await issue())
    await socket.eventually(lambda: len(messages(socket)) > said)
    assert messages(socket)[-1]["type"] == "auth.ok"
    await time.move(60)
    assert await socket.stays()


async def test_client_that_renews_nothing_is_closed_with_4419(time, talk, issue, ada):
    socket = await talk(await issue(age=60))
    await arevoke_user(ada, margin=30)
    await heard(socket, "auth.expiring")
    await time.move(29)
    assert await socket.stays()
    await time.move(60)
    assert await socket.closes() == 4419


async def test_socket_without_messages_closes_with_4419_at_the_deadline(time, sockets, issue, ada):
    socket = await sockets(await issue(age=60), scheme="Bearer")
    await arevoke_user(ada, margin=30)
    await socket.eventually(must_renew)
    await time.move(29)
    assert await socket.stays()
    await time.move(60)
    assert await socket.closes() == 4419
    assert messages(socket) == []


async def test_revoked_token_that_is_sent_again_closes_with_4419(talk, issue, ada):
    old = await issue(age=60)
    socket = await talk(old)
    await arevoke_user(ada, margin=30)
    say(socket, old)
    assert await socket.closes() == 4419


async def test_row_is_deleted_at_once_and_its_socket_lives_on(sockets, token, ada):
    socket = await sockets(token.key)
    await arevoke_user(ada, margin=30)
    assert not await Token.objects.aexists()
    for _ in range(5):  # sweeps
        assert await socket.stays()


class SlowDRFTokenBackend(DRFTokenBackend):
    """Deletes rows long before its caller goes on: some sweeps come in between."""

    def revoke_user(self, user_pk, **which):
        done = super().revoke_user(user_pk, **which)
        sleep(0.7)
        return done


async def test_sweep_that_finds_the_row_deleted_first_leaves_the_socket_open(
    sockets, token, ada, site
):
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {
        "BACKENDS": [{"BACKEND": f"{__name__}.SlowDRFTokenBackend"}]
    }
    socket = await sockets(token.key)
    await arevoke_user(ada, margin=30)
    assert await socket.stays()


async def test_other_users_sockets_and_the_excepted_token_are_left_alone(talk, issue, ada, bob):
    fresh = await issue(age=60)
    socket = await talk(fresh)
    await arevoke_user(bob, margin=0)
    await arevoke_user(ada, except_token=fresh, margin=0)
    assert await socket.stays()
    assert [each["type"] for each in messages(socket)] == ["auth.ok"]


async def test_second_revocation_without_a_margin_closes_at_once(talk, issue, ada):
    socket = await talk(await issue(age=60))
    await arevoke_user(ada, margin=30)
    await arevoke_user(ada)
    assert await socket.closes() == 4410


async def test_later_margin_does_not_put_off_the_deadline(time, talk, issue, ada):
    socket = await talk(await issue(age=60))
    await arevoke_user(ada, margin=30)
    await heard(socket, "auth.expiring")
    await arevoke_user(ada, margin=3000)
    assert await socket.stays()
    await time.move(60)
    assert await socket.closes() == 4419


async def test_socket_of_a_margin_can_be_disconnected(talk, issue, ada):
    socket = await talk(await issue(age=60))
    await arevoke_user(ada, margin=30)
    await adisconnect(user=ada)
    assert await socket.closes() == 4410


@pytest.mark.parametrize("margin", [-1, 3601, float("nan"), float("inf")])
def test_margin_is_a_number_of_seconds_up_to_an_hour(ada, token, margin):
    with pytest.raises(ValueError, match="margin"):
        revoke_user(ada, margin=margin)
    with pytest.raises(ValueError, match="margin"):
        revoke(label={"sid": "s1"}, margin=margin)
    assert Token.objects.exists()


@pytest.mark.parametrize("which", [{}, {"backend": "simplejwt", "issuer": "https://a"}])
async def test_label_with_a_margin_spares_open_sockets_and_other_labels(
    talk, sockets, issue, ada, which
):
    old, other = await issue(age=60, sid="s1"), await issue(age=60, sid="s2")
    socket, spared = await talk(old), await talk(other)
    await arevoke(label={"sid": "s1"}, margin=30, **which)
    assert 15 < (await heard(socket, "auth.expiring"))["expires_in"] <= 30
    assert await socket.stays()  # sweeps
    assert await (await sockets(old, scheme="Bearer")).closes() == 4410
    assert await (await sockets(other, scheme="Bearer")).stays()
    assert [each["type"] for each in messages(spared)] == ["auth.ok"]


async def test_fresh_token_of_the_same_label_keeps_the_socket(time, talk, issue):
    socket = await talk(await issue(age=60, sid="s1"))
    await arevoke(label={"sid": "s1"}, margin=30)
    await heard(socket, "auth.expiring")
    said = len(messages(socket))
    say(socket, await issue(sid="s1"))
    await socket.eventually(lambda: len(messages(socket)) > said)
    assert messages(socket)[-1]["type"] == "auth.ok"
    await time.move(60)
    assert await socket.stays()


async def test_client_of_a_label_that_renews_nothing_is_closed_with_4419(time, talk, issue):
    socket = await talk(await issue(age=60, sid="s1"))
    assert (await manage("token_revoke", "--label=sid=s1", "--margin=30"))[0] == 0
    await heard(socket, "auth.expiring")
    await time.move(60)
    assert await socket.closes() == 4419


async def test_command_revokes_with_a_margin(time, sockets, issue, ada):
    socket = await sockets(await issue(age=60), scheme="Bearer")
    assert (await manage("token_revoke", "--user=ada", "--margin=30"))[0] == 0
    await socket.eventually(must_renew)
    await time.move(60)
    assert await socket.closes() == 4419
    assert (await manage("token_revoke", "a-token-id", "--margin=1"))[0] == 2
    assert (await manage("token_revoke", "--user=ada", "--margin=-1"))[0] == 2


@pytest.mark.parametrize("is_atomic", [True, False])
async def test_margin_is_no_reprieve_for_a_token_that_was_revoked_before(
    sockets, token, ada, is_atomic
):
    def revoke():
        with transaction.atomic() if is_atomic else nullcontext():
            revoke_token(token.key)
            revoke_user(ada, margin=30)

    socket = await sockets(token.key)
    await sync_to_async(revoke)()
    assert await socket.closes() == 4410


async def test_margin_begins_with_the_commit(time, talk, issue, ada, site):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_INTERVAL": 60}

    def revoke_slowly():
        with transaction.atomic():
            with transaction.atomic():
                revoke_user(ada, margin=30)
            sleep(2)

    socket = await talk(await issue(age=60))
    await sync_to_async(revoke_slowly)()
    # The sockets' clock stands still: what is over 30 is how long the commit took.
    assert (await heard(socket, "auth.expiring"))["expires_in"] > 31
    assert await socket.stays()


class Held(DRFTokenBackend):
    """A backend whose answer to a sweep can be held back."""

    asked, may_answer = threading.Event(), threading.Event()

    def revalidate(self, grants):
        self.asked.set()
        self.may_answer.wait(60)
        return super().revalidate(grants)


async def test_sweep_under_way_does_not_end_the_margin(sockets, token, ada, site):
    held = {"BACKEND": f"{__name__}.Held"}
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "BACKENDS": [held]}
    socket = await sockets(token.key)
    await asyncio.to_thread(Held.asked.wait)
    await arevoke_user(ada, margin=30)
    Held.may_answer.set()
    assert await socket.stays()
