"""Arguments that select: None and an empty text are errors, and never "all"."""

import copy
import inspect
import pickle
from datetime import date, datetime, timedelta, timezone

import pytest
from django.contrib.auth import get_user_model
from django.utils.functional import SimpleLazyObject

import channels_token_auth as api
from channels_token_auth import aconnections, adisconnect, arevoke, arevoke_token, arevoke_user
from channels_token_auth.core.revocation.criteria import ANY
from channels_token_auth.living import Living
from channels_token_auth.verification import authenticator
from tests.revocation.test_commands import manage
from tests.revocation.test_known_names import DRF, SID, entry, use
from tests.verification.odd_caches import cache as cache_of

ADDRESS = {"address": "192.0.2.7"}
CALLS = {
    "revoke": lambda **more: arevoke(label=SID, **more),
    "revoke_token": lambda **more: arevoke_token("t" * 32, **more),
    "revoke_user": lambda **more: arevoke_user(1, **more),
    "disconnect": lambda **more: adisconnect(**({} if "address" in more else ADDRESS), **more),
    "connections": aconnections,
}
SELECTS = {"user", "token", "token_id", "backend", "issuer", "label", "connection_id", "address"}
SELECTS |= {"node", "issued_before"}
"""Arguments that select tokens or sockets. The others are options, which say what None means."""


def has_revoked(told):
    return "token_revoked" in {name for name, _ in told}


def selecting():
    for name in CALLS:
        given = inspect.signature(getattr(api, name)).parameters.values()
        yield from (
            (name, each.name)
            for each in given
            if each.name in SELECTS and each.default is not each.empty
        )


@pytest.fixture(autouse=True)
def backends(site, monkeypatch):
    # Routes that other tests keep would have backends with other names.
    monkeypatch.setattr(authenticator, "authenticators", Living())
    use(site, entry("a", "https://a"), DRF)
    site.CACHES = cache_of("django.core.cache.backends.locmem.LocMemCache")


@pytest.mark.parametrize("name", ["revoke", "revoke_user"])
@pytest.mark.parametrize(
    ("moment", "error"),
    [
        (datetime(2026, 1, 1), ValueError),  # noqa: DTZ001 - the mistake
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), ValueError),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), ValueError),
        (date(2026, 1, 1), TypeError),
        ("2026-01-01T00:00:00+00:00", TypeError),
        (1767225600.0, TypeError),
    ],
)
async def test_time_that_is_no_moment_of_utc_is_an_error(name, moment, error, told):
    with pytest.raises(error, match="issued_before"):
        await CALLS[name](issued_before=moment)
    assert not has_revoked(told)


def test_every_function_is_called():
    assert {name for name, _ in selecting()} == {*CALLS}


@pytest.mark.parametrize(("name", "argument"), [*selecting()])
async def test_none_selects_nothing(name, argument, sockets, token, told):
    socket = await sockets(token.key, client=["192.0.2.7", 1234])
    with pytest.raises(TypeError, match=argument):
        await CALLS[name](**{argument: None})
    assert await socket.stays()
    assert not has_revoked(told)


@pytest.mark.parametrize(
    ("name", "argument"),
    [each for each in selecting() if each[1] not in ("label", "issued_before")],
)
async def test_empty_text_selects_nothing(name, argument, sockets, token, told):
    """An empty issuer would mean all tokens that name none."""
    socket = await sockets(token.key, client=["192.0.2.7", 1234])
    with pytest.raises((TypeError, ValueError)):
        await CALLS[name](**{argument: ""})
    assert await socket.stays()
    assert not has_revoked(told)


@pytest.mark.parametrize("value", [7, b"a", ["a"]])
@pytest.mark.parametrize("argument", ["issuer", "connection_id", "address"])
async def test_other_values_are_no_text(argument, value, told):
    with pytest.raises(TypeError, match=argument):
        await adisconnect(**{argument: value})
    assert not has_revoked(told)


@pytest.mark.parametrize(
    "which", [{"connection_id": "\udcff"}, {"address": "\udcff"}, {"label": {"sid": "\udcff"}}]
)
@pytest.mark.parametrize("call", [adisconnect, aconnections])
async def test_text_that_no_message_can_contain_is_an_error(call, which):
    """As arguments of a program are that are not UTF-8. It is no outage of the channel layer."""
    with pytest.raises(ValueError, match="surrogates"):
        await call(**which)


@pytest.mark.parametrize("address", ["localhost", "10.0.0.300", "10.0.0", "10.0.0.0/8", "ada"])
@pytest.mark.parametrize("call", [adisconnect, aconnections])
async def test_text_that_is_no_address_is_an_error(call, address):
    with pytest.raises(ValueError, match="address"):
        await call(address=address)


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1])
async def test_listing_waits_for_a_bounded_time(seconds):
    with pytest.raises(ValueError, match="timeout"):
        await aconnections(timeout=seconds)


@pytest.mark.parametrize(
    "which",
    [
        {"backend": "typo"},
        {"issuer": "https://typo"},
        {"backend": "drf", "issuer": "https://a"},
        {"label": {"sdi": "s1"}},
        {"label": SID, "backend": "drf"},
    ],
)
@pytest.mark.parametrize("call", [adisconnect, aconnections])
async def test_unknown_names_are_errors(call, which, sockets, token, told):
    socket = await sockets(token.key)
    with pytest.raises(ValueError, match=r"typo|https://a|sdi|sid"):
        await call(**which)
    assert await socket.stays()
    assert not has_revoked(told)


async def test_known_names_select(sockets, token):
    socket = await sockets(token.key)
    assert (await aconnections(backend="drf")).total == 1
    assert (await aconnections(backend="a", issuer="https://a", label=SID)).total == 0
    await adisconnect(backend="a", issuer="https://a", label=SID)
    assert await socket.stays()
    await adisconnect(backend="drf")
    assert await socket.closes() == 4410


async def test_no_token_to_spare_is_none(sockets, ada, token):
    """As `request.auth` of a request with a session."""
    socket = await sockets(token.key)
    await arevoke_user(ada, except_token=None)
    assert await socket.closes() == 4410


EMPTY = [
    ["token_connections", "--backend="],
    ["token_connections", "--issuer="],
    ["token_connections", "--node="],
    ["token_connections", "--address="],
    ["token_connections", "--token="],
    ["token_connections", "--user="],
    ["token_revoke", "--user="],
    ["token_revoke", "--backend=", "x"],
    ["token_revoke", "--issuer=", "x"],
    ["token_revoke", "--user=ada", "--except="],
    ["token_drain", "--node=", "--over=0"],
]


@pytest.mark.parametrize("call", EMPTY, ids=" ".join)
@pytest.mark.usefixtures("ada")
async def test_empty_option_of_a_command_is_an_error(call, told):
    """As `--node "$HOST"` where the variable is not set."""
    assert (await manage(*call))[0] == 2
    assert not has_revoked(told)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copy_of_any_is_any(copied):
    """As a task queue passes arguments on."""
    assert copied(ANY) is ANY


async def test_user_who_is_not_loaded_yet_is_accepted(ada):
    """As `request.user`, which queries the database when it is first used."""
    for call in (CALLS["disconnect"], CALLS["connections"], arevoke_user):
        await call(user=SimpleLazyObject(lambda: get_user_model().objects.get(pk=ada.pk)))


def test_user_who_is_not_loaded_yet_is_listed_by_blocking_code(ada):
    user = SimpleLazyObject(lambda: get_user_model().objects.get(pk=ada.pk))
    assert api.connections(user=user).total == 0
