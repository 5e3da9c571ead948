"""Tokens revoked by a label: their sockets close, and they open no other one."""

import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from asgiref.sync import sync_to_async

from channels_token_auth import aconnections, adisconnect, arevoke, revoke
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import site_authenticator
from tests.revocation.test_commands import manage
from tests.verification.odd_caches import Away
from tests.verification.odd_caches import cache as cache_of

KEYS = {"https://a": "a" * 32, "https://b": "b" * 32}
DRF = "channels_token_auth.backends.drf.DRFTokenBackend"


def entry(name, issuer):
    options = {"algorithms": ["HS256"], "key": KEYS[issuer], "issuer": issuer, "name": name}
    backend = "channels_token_auth.backends.jwt.JWTBackend"
    return {"BACKEND": backend, "OPTIONS": options | {"labels": ["tid"]}}


@pytest.fixture(autouse=True)
def jwts(site):
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [entry("a", "https://a"), entry("b", "https://b"), {"BACKEND": DRF}],
        "LOCATIONS": ["header", "ticket"],
        "REFUSAL": "close",
    }
    site.CACHES = cache_of("django.core.cache.backends.locmem.LocMemCache")
    return site


def token_of(user, *, issuer="https://a", age=10, **claims):
    now = int(time.time())
    times = {"iat": now - age, "exp": now + 600}
    return jwt.encode({"sub": str(user.pk), "iss": issuer} | times | claims, KEYS[issuer], "HS256")


@pytest.fixture
def present(sockets):
    async def present(user, **claims):
        socket = await sockets(token_of(user, **claims), scheme="Bearer")
        socket.claims = claims
        return socket

    return present


@pytest.mark.database
@pytest.mark.asvs("7.4.1")
async def test_tokens_of_a_session_close_and_do_not_come_again(present, ada):
    socket, other = await present(ada, sid="s1"), await present(ada, sid="s2")
    await arevoke(label={"sid": "s1"})
    assert await socket.closes() == 4410
    assert await (await present(ada, sid="s1", jti="another of it")).closes() == 4410
    assert await other.stays()


@pytest.mark.parametrize("label", [{"sid": "s1"}, ("sid", "s1"), [("sid", "s1")], [["sid", "s1"]]])
async def test_label_is_a_mapping_a_pair_or_several(present, ada, label):
    socket = await present(ada, sid="s1")
    await arevoke(label=label)
    assert await socket.closes() == 4410


async def test_all_labels_have_to_match(present, ada):
    socket = await present(ada, sid="s1", azp="web", tid=7)
    for label in ({"sid": "s1", "client_id": "app"}, {"sid": "s1", "tid": "8"}):
        await arevoke(label=label)
    assert await socket.stays()
    await arevoke(label={"client_id": "web", "tid": 7})
    assert await socket.closes() == 4410


@pytest.mark.database
async def test_users_own_tokens_are_revoked_only(present, ada, bob):
    mine, other = await present(ada, sid="s1"), await present(bob, sid="s1")
    await arevoke(label={"sid": "s1"}, user=ada)
    assert await mine.closes() == 4410
    assert await (await present(ada, sid="s1")).closes() == 4410
    assert await (await present(bob, sid="s1", jti="new")).stays()
    assert await other.stays()


@pytest.mark.database
@pytest.mark.parametrize("which", [{"backend": "a"}, {"backend": ["a"]}, {"issuer": "https://a"}])
async def test_label_of_another_issuer_or_backend_is_another_label(present, ada, which):
    mine = await present(ada, sid="s1")
    other = await present(ada, sid="s1", issuer="https://b")
    await arevoke(label={"sid": "s1"}, **which)
    assert await mine.closes() == 4410
    assert await other.stays()
    again = [await present(ada, sid="s1", issuer=each, jti="2") for each in KEYS]
    assert await again[0].closes() == 4410
    assert await again[1].stays()


async def test_label_without_a_backend_is_revoked_at_each(present, ada):
    sockets = [await present(ada, sid="s1", issuer=each) for each in KEYS]
    await arevoke(label={"sid": "s1"}, backend=["a", "b"])
    assert [await each.closes() for each in sockets] == [4410, 4410]
    again = [await present(ada, sid="s1", issuer=each, jti="2") for each in KEYS]
    assert [await each.closes() for each in again] == [4410, 4410]


@pytest.mark.database
async def test_tokens_that_were_issued_later_stay(present, ada):
    old, new = await present(ada, sid="s1", age=100), await present(ada, sid="s1", age=10)
    moment = datetime.now(UTC) - timedelta(seconds=50)
    # Both sockets are older than the moment, as far as it tells: presented since.
    await arevoke(label={"sid": "s1"}, issued_before=moment)
    assert await old.closes() == 4410
    assert await new.stays()
    assert await (await present(ada, sid="s1", age=100)).closes() == 4410
    assert await (await present(ada, sid="s1", age=10)).stays()


@pytest.mark.database
async def test_token_from_the_future_is_denied_by_its_label(sockets, ada):
    token = token_of(ada, sid="s1", age=-3)
    await sockets(token, scheme="Bearer")
    await arevoke(label={"sid": "s1"})
    assert await (await sockets(token, scheme="Bearer")).closes() == 4410


NO_LABELS = [
    *({}, (), [], None, "sid", "ab"),
    *({"sid": None}, {"sid": ""}, {"": "s"}, {"sid": True}),
    *([("sid",)], ("sid", "a", "b")),
]


@pytest.mark.parametrize("label", NO_LABELS)
def test_no_label_is_not_every_label(label):
    with pytest.raises(TypeError):
        revoke(label=label)


def test_user_without_a_key_is_not_every_user(ada):
    with pytest.raises(TypeError):
        revoke(label={"sid": "s1"}, user=type(ada)(username="unsaved"))


@pytest.mark.parametrize("backend", ["drf", "typo", ["a", "drf"], []])
def test_backend_that_cannot_deny_by_label_is_an_error(backend):
    with pytest.raises(ValueError, match="backend"):
        revoke(label={"sid": "s1"}, backend=backend)


def test_site_whose_tokens_all_have_rows_has_nothing_to_deny(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": DRF}]}
    with pytest.raises(ValueError, match="BACKENDS"):
        revoke(label={"sid": "s1"})


async def test_cache_that_fails_is_unavailable_and_sockets_close(present, ada, site):
    socket = await present(ada, sid="s1")
    site.CACHES = cache_of(Away)
    with pytest.raises(TokenAuthError, match="unavailable"):
        await arevoke(label={"sid": "s1"})
    assert await socket.closes() == 4410


@pytest.mark.database
async def test_sockets_are_listed_and_disconnected_by_label(present, ada):
    socket, other = await present(ada, sid="s1"), await present(ada, sid="s2")
    found = await aconnections(label={"sid": "s1"})
    assert found.total == 1
    await adisconnect(label={"sid": "s1"})
    assert await socket.closes() == 4410
    assert await (await present(ada, sid="s1")).stays()
    assert await other.stays()


@pytest.mark.database
async def test_ticket_of_a_session_is_revoked_with_it(present, ada, sockets, rf):
    authenticator = site_authenticator()
    raw = Secret(token_of(ada, sid="s1"))

    def issue():
        credential = Credential(location=Location.HEADER, secret=raw)
        return authenticator.tickets.issue(authenticator.authenticate_now(credential), origin=None)

    tickets = [await sync_to_async(issue)() for _ in range(2)]
    before = await sockets(None, query_string=f"ticket={tickets[0]}".encode())
    await arevoke(label={"sid": "s1"})
    after = await sockets(None, query_string=f"ticket={tickets[1]}".encode())
    assert (await before.closes(), await after.closes()) == (4410, 4410)


@pytest.mark.database
async def test_command_revokes_by_label(present, ada, bob):
    mine, other = await present(ada, sid="s1"), await present(bob, sid="s1")
    code, _, _ = await manage("token_revoke", "--label=sid=s1", f"--user={ada.pk}")
    assert code == 0
    assert await mine.closes() == 4410
    assert await other.stays()


async def test_command_lists_by_label(present, ada):
    await present(ada, sid="s1", azp="web")
    arguments = ["token_connections", "--json", "--label=sid=s1"]
    _, out, _ = await manage(*arguments, "--label=client_id=web")
    _, other, _ = await manage(*arguments, "--label=client_id=app")
    assert [json.loads(each)["total"] for each in (out, other)] == [1, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--label=sid=s1", "--except=t1"],
        ["--label=sid=s1", "t1"],
        ["--before=2026-11-28"],
    ],
)
async def test_command_that_names_too_much_or_too_little_is_a_usage_error(arguments):
    code, _, _ = await manage("token_revoke", *arguments)
    assert code == 2


@pytest.mark.parametrize("label", ["sid", "=s1", "sid="])
async def test_command_refuses_what_is_no_label(label):
    _, _, error = await manage("token_revoke", f"--label={label}")
    assert "--label" in error


async def test_command_on_a_site_without_labels_is_a_usage_error(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": DRF}]}
    code, _, _ = await manage("token_revoke", "--label=sid=s1")
    assert code == 2
