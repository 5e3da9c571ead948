"""Tokens of the very second of a revocation: the fresh one is valid, one that was seen is not."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import arevoke, arevoke_user
from channels_token_auth.backends.sources.users import local_user_key
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.denial import Denial
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.node import here
from channels_token_auth.revocation import on_commit
from channels_token_auth.verification.authenticator import site_authenticator
from channels_token_auth.verification.denylist import first_verified, is_shared
from channels_token_auth.verification.node_denials import known_epoch
from tests.verification.odd_caches import Away, Remote
from tests.verification.odd_caches import cache as cache_of

pytestmark = pytest.mark.database
SIMPLE_JWT = {"BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend"}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture(autouse=True, params=[Remote, LOCMEM])
def jwts(request, site):
    site.CACHES = cache_of(request.param)
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT], "REFUSAL": "close"}
    yield site
    first_verified.clear()


@pytest.fixture
def issue(ada):
    def issue(**claims):
        token = AccessToken.for_user(ada)
        token.payload.update(claims)
        return str(token)

    return sync_to_async(issue)


@pytest.fixture
async def second():
    """Enough of a second for a test that has to stay in it."""
    passed = time.time() % 1
    await asyncio.sleep(1 - passed if passed > 0.5 else 0)


def message_of(target):
    """A revocation of another process."""
    revocation = Revocation(target=target, code=CloseReason.TOKEN_REVOKED)
    return {"kind": "revoke", "revocations": [revocation.to_message()]}


@pytest.mark.usefixtures("second")
async def test_token_that_the_view_issues_after_the_revocation_is_valid(sockets, ada, issue):
    old = await issue()
    before = await sockets(old, scheme="Bearer")
    await arevoke_user(ada)
    fresh = await sockets(await issue(), scheme="Bearer")
    assert await before.closes() == 4410
    assert await fresh.stays()


@pytest.mark.usefixtures("second")
async def test_token_that_the_view_issues_after_a_new_password_is_valid(sockets, ada, issue):
    before = await sockets(await issue(), scheme="Bearer")
    ada.set_password("another")
    await ada.asave()
    fresh = await sockets(await issue(), scheme="Bearer")
    assert await before.closes() == 4410
    assert await fresh.stays()


@pytest.mark.usefixtures("second")
async def test_message_that_comes_late_closes_no_fresh_socket(sockets, ada, issue):
    key, moment = local_user_key(ada), time.time()
    fresh = await sockets(await issue(), scheme="Bearer")
    here().handle(message_of(Target.of_user(key, issued_before=moment)))
    assert await fresh.stays()


@pytest.mark.parametrize("by_label", [False, True])
@pytest.mark.usefixtures("second")
async def test_node_denies_what_it_has_seen_before_another_process_revoked(
    sockets, ada, issue, by_label
):
    raw, key = await issue(sid="s1"), local_user_key(ada)
    labels = frozenset({("sid", "s1")})
    socket = await sockets(raw, scheme="Bearer")
    denylist, moment = site_authenticator().denylist, time.time()
    if by_label:
        denylist.deny_labels(labels, Denial(before=moment), backend="simplejwt")
        target = Target(labels=labels, issued_before=moment)
    else:
        denylist.deny_user(key, Denial(before=moment))
        target = Target.of_user(key, issued_before=moment)
    here().handle(message_of(target))
    assert await socket.closes() == 4410
    first_verified.clear()  # as after some seconds
    assert await (await sockets(raw, scheme="Bearer")).closes() == 4410


@pytest.mark.usefixtures("second")
async def test_cache_that_fails_meanwhile_is_logged(sockets, ada, issue, site, caplog):
    socket = await sockets(await issue(), scheme="Bearer")
    site.CACHES = cache_of(Away)
    target = Target.of_user(local_user_key(ada), issued_before=time.time())
    here().handle(message_of(target))
    assert await socket.closes() == 4410
    await socket.eventually(lambda: "fresh token" in caplog.text)


async def test_label_is_revoked_in_the_second_of_its_token(sockets, issue):
    raw = await issue(sid="s1")
    await sockets(raw, scheme="Bearer")
    await arevoke(label={"sid": "s1"})
    first_verified.clear()
    assert await (await sockets(raw, scheme="Bearer")).closes() == 4410


# -- The epoch


async def test_epoch_is_learnt_where_processes_share_the_cache():
    here().handle({"kind": "announce", "node": "other-1", "epoch": "e" * 32})
    assert site_authenticator().denylist.epoch_id == ("e" * 32 if is_shared("default") else None)


@pytest.mark.parametrize("epoch", [None, 7, ["e"]])
async def test_message_without_an_epoch_is_understood(epoch):
    """A node of the release before sends none."""
    here().handle({"kind": "announce", "node": "other-1", "epoch": epoch})
    here().handle({"kind": "announce", "node": "other-2"})
    assert known_epoch() is None


async def test_epoch_travels_with_revocations(monkeypatch, ada):
    messages = []
    monkeypatch.setattr(on_commit, "publish", lambda *said: messages.extend(said))
    await arevoke_user(ada)
    assert [each["epoch"] for each in messages] == [known_epoch()]
