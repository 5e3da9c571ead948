"""User 1 of this site and user 1 of another service: neither reaches the other's sockets."""

import json
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import ClassVar
from uuid import UUID

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from django.utils.functional import SimpleLazyObject
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import (
    BaseTokenBackend,
    Revocations,
    aconnections,
    adisconnect,
    arevoke_token,
    arevoke_user,
    connections,
    disconnect,
    revoke_token,
    revoke_user,
)
from channels_token_auth.backends.sources.users import named_user, row_key
from channels_token_auth.core.identity import FOREIGN, UserKey
from tests.backends.own_users.models import Place
from tests.revocation.test_commands import manage
from tests.verification.odd_caches import cache as cache_of

BACKENDS = "channels_token_auth.backends"
ALL = "/auth/connections/"
SIMPLE_JWT = {"BACKEND": f"{BACKENDS}.simplejwt.SimpleJWTBackend"}
DRF = {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"}


@pytest.fixture(autouse=True)
def services(site):
    site.ROOT_URLCONF = "tests.views.urls"
    site.CACHES = cache_of("django.core.cache.backends.locmem.LocMemCache")
    stateless = SIMPLE_JWT | {"OPTIONS": {"stateless": True}}
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [stateless, DRF], "REFUSAL": "close"}
    return site


def jwt_of(user_id):
    token = AccessToken()
    token["user_id"] = user_id
    return str(token)


@pytest.fixture
async def theirs(sockets, ada):
    """A socket of the service's user with the same key as ada."""
    raw = jwt_of(ada.pk)
    socket = await sockets(raw, scheme="Bearer")
    socket.raw = raw
    return socket


@pytest.fixture
async def mine(sockets, token):
    return await sockets(token.key)


async def ask(method, path, raw):
    client = AsyncClient()
    return await getattr(client, method)(path, headers={"Authorization": f"Bearer {raw}"})


async def test_services_user_lists_their_own_sockets_only(mine, theirs):
    answer = await ask("get", ALL, theirs.raw)
    assert answer.json()["total"] == 1


async def test_services_staff_see_no_nodes(sockets, ada):
    token = AccessToken()
    token["user_id"], token["is_staff"] = ada.pk, True
    await sockets(str(token), scheme="Bearer")
    answer = await ask("get", ALL, str(token))
    assert answer.json()["total"] == 1
    assert "missing" not in answer.json()
    assert "node" not in answer.json()["connections"][0]


@pytest.mark.asvs("8.2.2")
async def test_services_user_cannot_close_the_local_users_socket(mine, theirs):
    answer = await ask("get", ALL, theirs.raw)
    found = await aconnections()
    own = {each["id"] for each in answer.json()["connections"]}
    (other,) = {each.connection_id for each in found.connections} - own
    assert (await ask("delete", f"{ALL}{other}/", theirs.raw)).status_code == 404
    assert await mine.stays()


@pytest.mark.database
async def test_services_user_who_signs_out_elsewhere_revokes_no_local_token(
    mine, theirs, ada, sockets
):
    second = await sockets(jwt_of(ada.pk), scheme="Bearer")
    assert (await ask("delete", ALL, theirs.raw)).status_code == 204
    assert await second.closes() == 4410
    assert await mine.stays()
    assert await Token.objects.aexists()


@pytest.mark.database
async def test_local_user_who_signs_out_elsewhere_ends_no_service_token(mine, theirs, token):
    assert (await ask("delete", ALL, token.key)).status_code == 204
    assert await theirs.stays()


@pytest.mark.database
async def test_instance_is_the_user_of_its_kind(mine, theirs, ada):
    await arevoke_user(ada)
    assert await mine.closes() == 4410
    assert await theirs.stays()
    assert (await ask("get", "/auth/check/", theirs.raw)).status_code == 200


async def test_instance_of_a_service_is_no_local_user(mine, theirs, ada):
    await arevoke_user(TokenUser(AccessToken(theirs.raw)))
    assert await theirs.closes() == 4410
    assert (await ask("get", "/auth/check/", theirs.raw)).status_code == 401
    assert await mine.stays()
    assert await Token.objects.aexists()


@pytest.mark.database
async def test_key_is_the_user_of_each_kind(mine, theirs, ada):
    await arevoke_user(ada.pk)
    assert [await each.closes() for each in (mine, theirs)] == [4410, 4410]
    assert (await ask("get", "/auth/check/", theirs.raw)).status_code == 401


@pytest.mark.database
async def test_key_that_no_local_user_can_have_is_a_services(mine, sockets):
    raw = jwt_of("auth0|7")
    socket = await sockets(raw, scheme="Bearer")
    await arevoke_user("auth0|7")
    assert await socket.closes() == 4410
    assert (await ask("get", "/auth/check/", raw)).status_code == 401
    assert await mine.stays()


@pytest.mark.database
async def test_lazy_user_of_a_request_is_its_user(sockets, ada, site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT], "REFUSAL": "close"}
    token = await sync_to_async(AccessToken.for_user)(ada)
    token.set_iat(at_time=datetime.now(UTC) - timedelta(seconds=9))
    raw = str(token)
    lazy = SimpleLazyObject(lambda: User.objects.get(pk=ada.pk))
    await arevoke_user(lazy)
    assert await (await sockets(raw, scheme="Bearer")).closes() == 4410


@pytest.mark.database
@pytest.mark.parametrize("change", ["deactivate", "delete", "password"])
async def test_change_of_a_local_user_ends_no_service_token(mine, theirs, ada, change):
    if change == "delete":
        await ada.adelete()
    elif change == "password":
        ada.set_password("another")
        await ada.asave()
    else:
        ada.is_active = False
        await ada.asave()
    assert await mine.closes() in {4410, 4419, 4423}
    assert await theirs.stays()
    assert (await ask("get", "/auth/check/", theirs.raw)).status_code == 200


@pytest.mark.database
async def test_kinds_are_distinguished_in_lists_and_disconnects(mine, theirs, ada):
    kinds = {each.user_kind for each in (await aconnections(user=ada.pk)).connections}
    assert kinds == {"auth.user", "backend:simplejwt"}
    (one,) = (await aconnections(user=ada)).connections
    assert one.user_kind == "auth.user"
    await adisconnect(user=ada)
    assert await mine.closes() == 4410
    assert await theirs.stays()


async def test_users_of_a_service_have_no_local_name(mine, theirs, ada):
    _, out, _ = await manage("token_connections")
    assert out.count(f"ada ({ada.pk})") == 1


@pytest.mark.database
async def test_rows_of_a_user_of_another_model_stay(ada, token):
    """A group may have the primary key of a user: DRF's tokens are those of users."""
    group = type(ada.groups.model())(pk=ada.pk, name="group")
    await sync_to_async(revoke_user)(group)
    assert await Token.objects.aexists()


# -- Nobody is not everybody


CALLS = [
    revoke_user,
    lambda user: connections(user=user),
    lambda user: disconnect(user=user, address="192.0.2.1"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("user", [User(username="unsaved"), "", True])
def test_unsaved_user_is_an_error(call, user):
    with pytest.raises(TypeError, match="primary key"):
        call(user)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("users", [[], [7], {7}, {"pk": 7}, b"7", User.objects.none(), User])
def test_several_users_are_an_error(call, users):
    """As a key, they would name nobody: the call would return as if it had revoked something."""
    with pytest.raises(TypeError):
        call(users)


@pytest.mark.parametrize("call", CALLS[:2])
def test_user_of_a_machine_token_is_an_error(call):
    with pytest.raises(TypeError, match="None"):
        call(None)


# -- One token of several with the same id


@pytest.mark.parametrize("which", [{"backend": "a"}, {"issuer": "https://a"}])
async def test_token_with_the_same_id_of_another_issuer_stays(sockets, ada, site, which):
    keys = {"a": "a" * 32, "b": "b" * 32}

    def entry(name):
        options = {"algorithms": ["HS256"], "key": keys[name], "issuer": f"https://{name}"}
        return {
            "BACKEND": f"{BACKENDS}.jwt.JWTBackend",
            "OPTIONS": options | {"name": name},
        }

    def token(name):
        claims = {"sub": str(ada.pk), "iss": f"https://{name}", "exp": 2**31, "jti": "one"}
        return jwt.encode(claims, keys[name], "HS256")

    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [entry("a"), entry("b")], "REFUSAL": "close"}
    mine, other = [await sockets(token(name), scheme="Bearer") for name in "ab"]
    await arevoke_token("one", **which)
    assert await mine.closes() == 4410
    assert await other.stays()
    again = [await sockets(token(name), scheme="Bearer") for name in "ab"]
    assert await again[0].closes() == 4410
    assert await again[1].stays()
    await arevoke_token(token("b"))
    assert await other.closes() == 4410


@pytest.mark.database
async def test_id_of_a_local_users_token_is_denied_at_no_other_service(theirs, ada, site):
    (one,) = (await aconnections(user=ada.pk)).connections
    await arevoke_token(one.token_id, user=ada)
    assert await theirs.stays()
    assert (await ask("get", "/auth/check/", theirs.raw)).status_code == 200


@pytest.mark.database
async def test_local_users_token_does_not_take_over_the_services_socket(sockets, ada, token):
    raw = jwt_of(ada.pk)
    socket = await sockets(raw, scheme="Bearer", subprotocols=["token-auth.v1"])
    text = json.dumps({"type": "auth", "token": token.key})
    socket.server.inbox.put_nowait({"type": "websocket.receive", "text": text})
    assert await socket.closes() == 4409


async def test_disconnect_by_backend_closes_the_sockets_of_its_tokens_only(mine, theirs, ada):
    await adisconnect(user=ada.pk, backend="drf")
    assert await mine.closes() == 4410
    assert await theirs.stays()


async def test_disconnect_of_a_token_that_is_of_another_backend_closes_no_socket(mine, token):
    await adisconnect(token=token.key, backend="simplejwt")
    assert await mine.stays()


class Recorder(BaseTokenBackend):
    """Records the keys of the users whose tokens it is asked to revoke."""

    name, user_kind, revocations = "recorder", None, Revocations.ROWS
    asked: ClassVar[list[object]] = []

    def authenticate(self, credentials):
        return [None] * len(credentials)

    def revalidate(self, grants):
        return [None] * len(grants)

    def revoke(self, grants):
        self.asked.extend(each.user_pk for each in grants)
        return [True] * len(grants)

    def revoke_user(self, user_pk, **_):
        self.asked.append(user_pk)
        return True


@pytest.fixture
def asked(services):
    services.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": f"{__name__}.Recorder"}]}
    Recorder.asked.clear()
    return Recorder.asked


UUID_KEY = UUID("7adda34e-25c6-4e12-a831-75e09997f7e1")


class Founder(int, Enum):
    """Keys whose text is their name."""

    ADA = 7


@pytest.mark.parametrize(
    ("user", "key"),
    [
        (Session(pk="007"), "007"),
        (Place(row="a", number=7), ("a", 7)),
        (("a", 7), ("a", 7)),
        (TokenUser({"user_id": "007"}), "007"),
        (UserKey(kind="issuer:https://id", key="007"), "007"),
        (UserKey(kind="issuer:https://id", key="7"), 7),
        (UserKey(kind="sessions.session", key="007"), "007"),
        (UserKey(kind="own_users.member@acme", key=str(UUID_KEY)), UUID_KEY),
        (UserKey(kind="auth.user", key="7"), 7),
        (UserKey(kind="gone.model", key="007"), "007"),
    ],
)
def test_backend_is_asked_about_the_key_of_that_kind_of_user(asked, user, key):
    revoke_user(user)
    revoke_token("f" * 32, user=user)
    assert set(asked) == {key}


@pytest.mark.parametrize(
    ("model", "key", "named"),
    [
        ("auth.User", 7, {None: "7"}),
        ("auth.User", "7", {None: "7"}),
        ("auth.User", Founder.ADA, {None: "7"}),
        ("auth.User", "007", {FOREIGN: "007"}),
        ("auth.User", "\uff17", {FOREIGN: "\uff17"}),
        ("own_users.Member", 7, {FOREIGN: "7"}),
        ("own_users.Member", str(UUID_KEY), {None: str(UUID_KEY)}),
        ("own_users.Member", UUID_KEY.hex.upper(), {None: str(UUID_KEY)}),
        ("own_users.Member", UUID_KEY, {None: str(UUID_KEY)}),
    ],
)
def test_key_names_a_local_user_only_in_the_form_of_their_model(services, model, key, named):
    services.AUTH_USER_MODEL = model
    found = named_user(key)
    assert {found.kind: found.key} == named
    is_local = found.kind is None
    assert str(row_key(key)) == (found.key if is_local else str(key))


@pytest.mark.parametrize("key", [7, "007"])
async def test_key_that_no_local_user_has_in_this_form_is_a_services(sockets, services, key):
    if key == 7:
        services.AUTH_USER_MODEL = "own_users.Member"
        services.CHANNELS_TOKEN_AUTH |= {"BACKENDS": services.CHANNELS_TOKEN_AUTH["BACKENDS"][:1]}
    raw = jwt_of(key)
    socket = await sockets(raw, scheme="Bearer")
    await arevoke_user(key)
    assert await socket.closes() == 4410
