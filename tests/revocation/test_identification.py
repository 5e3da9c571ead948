"""Tokens named by a text that may be a token or an id: an issuer's `jti` may be any text."""

import time

import jwt
import pytest
from django.test import Client

from channels_token_auth import (
    aconnections,
    adisconnect,
    arevoke_token,
    arevoke_user,
    disconnect,
    revoke_token,
    revoke_user,
)
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.verification.authenticator import site_authenticator
from tests.connection.sockets import open_sockets
from tests.revocation.test_commands import manage
from tests.verification.odd_caches import Remote
from tests.verification.odd_caches import cache as cache_of

KEYS = {"a": "a" * 32, "b": "b" * 32}
BACKENDS = "channels_token_auth.backends"
SESSION = {"BACKEND": f"{BACKENDS}.session.SessionBackend"}
CLASSES = {
    "BACKEND": f"{BACKENDS}.rest_framework.RESTFrameworkBackend",
    "OPTIONS": {"authentication_classes": ["rest_framework.authentication.TokenAuthentication"]},
}
DOWN = {
    "BACKEND": f"{BACKENDS}.introspection.IntrospectionBackend",
    "OPTIONS": {
        "url": "http://127.0.0.1:1/introspect",
        "client_id": "c",
        "client_secret": "s",
        "audience": "a",
        "issuer": "https://i",
    },
}

ODD = [
    "trrtcc:0c6e7b1e-4a0b-4f0c-9b62-1b7f0a6d9c11",
    "login-42-device-7",
    "V2_3141592-at_1",
    "F" * 32,
    "7",
    "a.b.c",
    "é" * 9,
]
"""Ids as issuers make them."""


def entry(name):
    options = {"algorithms": ["HS256"], "key": KEYS[name], "issuer": f"https://{name}"}
    return {"BACKEND": f"{BACKENDS}.jwt.JWTBackend", "OPTIONS": options | {"name": name}}


@pytest.fixture(params=[[], [SESSION], [SESSION, CLASSES]], ids=["none", "session", "both"])
def jwts(site, request):
    """Issuers a and b, and other backends that recognize any text, or none."""
    use(site, *request.param)
    return site


@pytest.fixture
def with_sessions(site):
    use(site, SESSION)
    return site


def use(site, *others):
    site.CHANNELS_TOKEN_AUTH = {
        **site.CHANNELS_TOKEN_AUTH,
        "BACKENDS": [entry("a"), entry("b"), *others],
        "LOCATIONS": ["header", "cookie", "ticket"],
        "REFUSAL": "close",
    }
    site.CACHES = cache_of(Remote)  # one that a process without sockets may revoke in


def token_of(user, jti, *, issuer="a"):
    now = int(time.time())
    claims = {"sub": str(user.pk), "iss": f"https://{issuer}", "jti": jti}
    return jwt.encode(claims | {"iat": now - 10, "exp": now + 600}, KEYS[issuer], "HS256")


@pytest.fixture
def present(sockets):
    async def present(user, jti, *, issuer="a"):
        return await sockets(token_of(user, jti, issuer=issuer), scheme="Bearer")

    return present


def opens(text):
    credential = Credential(location=Location.HEADER, secret=Secret(text), scheme="bearer")
    return isinstance(site_authenticator().authenticate_now(credential), Identity)


# -- revoke_token


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("jti", ODD)
async def test_token_is_revoked_by_an_id_of_any_text(jti, present, ada):
    socket, other = await present(ada, jti), await present(ada, f"{jti}-")
    await arevoke_token(jti)
    assert await socket.closes() == 4410
    assert await (await present(ada, jti)).closes() == 4410
    assert await other.stays()


@pytest.mark.usefixtures("with_sessions")
@pytest.mark.parametrize("by", ["user", "backend", "issuer"])
async def test_id_with_its_origin_revokes_that_token(by, present, ada):
    socket, other = await present(ada, ODD[1]), await present(ada, ODD[1], issuer="b")
    which = {"user": {"user": ada}, "backend": {"backend": "a"}, "issuer": {"issuer": "https://a"}}
    await arevoke_token(ODD[1], **which[by])
    assert await socket.closes() == 4410
    assert (await other.stays()) is (by != "user")


@pytest.mark.usefixtures("with_sessions")
def test_text_is_in_no_message_and_no_record_where_it_may_be_a_token(told, ada, caplog):
    """The text may be a token that is valid on another route only."""
    revoke_token("login-42-device-7")
    revoke_user(ada, except_token="login-42-device-7")
    assert told
    assert "login-42" not in repr(told) + caplog.text


@pytest.mark.database
def test_id_is_revoked_while_a_backend_that_may_know_the_text_is_unavailable(site, ada):
    use(site, DOWN)
    token = token_of(ada, ODD[1])
    assert opens(token)
    with pytest.raises(TokenAuthError):
        revoke_token(ODD[1])
    assert not opens(token)


@pytest.mark.database
@pytest.mark.usefixtures("with_sessions")
def test_session_is_revoked_by_its_key_as_before(ada):
    client = Client()
    client.force_login(ada)
    key = client.session.session_key
    assert isinstance(site_authenticator().authenticate_session(key), Identity)
    revoke_token(key)
    assert not isinstance(site_authenticator().authenticate_session(key), Identity)


# -- except_token


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("jti", ODD)
async def test_excepted_id_of_any_text_stays(jti, present, ada):
    socket, other = await present(ada, jti), await present(ada, f"{jti}-")
    await arevoke_user(ada, except_token=jti)
    assert await other.closes() == 4410
    assert await socket.stays()
    assert await (await present(ada, jti)).stays()


@pytest.mark.database
@pytest.mark.usefixtures("with_sessions")
async def test_token_that_is_excepted_by_its_text_and_by_its_authentication_stays(present, ada):
    socket = await present(ada, ODD[0])
    (connection,) = open_sockets()
    for named in (ODD[0], connection.grant.authentication, ODD[0], token_of(ada, ODD[0])):
        await arevoke_user(ada, except_token=named)
    assert await (await present(ada, ODD[0])).stays()
    assert await socket.stays()


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("jti", ["0" * 32, ODD[0]])
async def test_token_of_another_issuer_with_the_excepted_id_ends(jti, present, ada):
    socket, other = await present(ada, jti), await present(ada, jti, issuer="b")
    await arevoke_user(ada, except_token=token_of(ada, jti))
    assert await other.closes() == 4410
    assert await (await present(ada, jti, issuer="b")).closes() == 4410
    assert await socket.stays()
    assert await (await present(ada, jti)).stays()


@pytest.mark.parametrize("named", [object(), 7, b"token", ""])
def test_what_names_no_token_is_a_type_error(ada, named):
    for call in (
        lambda: revoke_user(ada, except_token=named),
        lambda: revoke_token(named),
        lambda: disconnect(token=named),
    ):
        with pytest.raises(TypeError):
            call()


def test_none_is_no_token(ada):
    with pytest.raises(TypeError):
        revoke_token(None)


# -- disconnect and connections


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("jti", ODD)
async def test_sockets_of_an_id_of_any_text_are_listed_and_closed(jti, present, ada):
    socket, other = await present(ada, jti), await present(ada, f"{jti}-")
    assert (await aconnections(token_id=jti)).total == 1
    await adisconnect(token=jti)
    assert await socket.closes() == 4410
    assert await other.stays()


@pytest.mark.usefixtures("with_sessions")
async def test_authentication_names_the_sockets_of_its_own_issuer(present, ada):
    socket = await present(ada, ODD[0])
    (connection,) = open_sockets()
    other = await present(ada, ODD[0], issuer="b")
    await adisconnect(token=connection.grant.authentication)
    assert await socket.closes() == 4410
    assert await other.stays()


@pytest.mark.usefixtures("with_sessions")
@pytest.mark.parametrize(("name", "value"), [("backend", "a"), ("issuer", "https://a")])
async def test_sockets_are_listed_by_origin(name, value, present, ada):
    for issuer in ("a", "b"):
        await present(ada, ODD[0], issuer=issuer)
    assert (await aconnections(token_id=ODD[0])).total == 2
    assert (await aconnections(token_id=ODD[0], **{name: value})).total == 1
    code, out, _ = await manage("token_connections", f"--{name}={value}", "--token", ODD[0])
    assert (code, out.splitlines()[-1][:7]) == (0, "Open: 1")


@pytest.mark.usefixtures("with_sessions")
async def test_delegated_token_sees_no_sockets_of_another_issuer(
    present, ada, async_client, settings
):
    settings.ROOT_URLCONF = "channels_token_auth.urls"
    for issuer in ("a", "b"):
        await present(ada, ODD[0], issuer=issuer)
    headers = {"authorization": f"Bearer {token_of(ada, ODD[0])}"}
    answer = await async_client.get("/connections/", headers=headers)
    assert answer.json()["total"] == 1


# -- The command


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("jti", ODD[:5])
async def test_command_revokes_by_an_id_of_any_text(jti, present, ada):
    socket = await present(ada, jti)
    code, _, error = await manage("token_revoke", jti)
    assert (code, error) == (0, "")
    assert await socket.closes() == 4410


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("is_valid", [True, False])
async def test_command_refuses_a_token_as_an_argument(is_valid, present, ada):
    token = token_of(ada, ODD[0]) if is_valid else f"{token_of(ada, ODD[0])}x"
    code, _, error = await manage("token_revoke", token)
    assert code == 2
    assert token not in error


@pytest.mark.usefixtures("with_sessions")
@pytest.mark.parametrize("option", ["--backend=a", "--issuer=https://a"])
async def test_command_distinguishes_issuers(option, present, ada):
    socket, other = await present(ada, ODD[1]), await present(ada, ODD[1], issuer="b")
    assert (await manage("token_revoke", ODD[1], option))[0] == 0
    assert await socket.closes() == 4410
    assert await other.stays()


@pytest.mark.database
@pytest.mark.usefixtures("with_sessions")
async def test_command_spares_the_token_of_one_issuer(present, ada):
    socket, other = await present(ada, ODD[1]), await present(ada, ODD[1], issuer="b")
    options = ["--user=ada", f"--except={ODD[1]}", "--backend=a"]
    assert (await manage("token_revoke", *options))[0] == 0
    assert await other.closes() == 4410
    assert await socket.stays()


@pytest.mark.usefixtures("with_sessions")
async def test_origin_without_a_token_is_a_usage_error(ada):
    assert (await manage("token_revoke", "--user=ada", "--backend=a"))[0] == 2
