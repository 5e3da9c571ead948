"""`GET` and `DELETE connections/`: one's own sockets, under ASGI and under WSGI."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db import connections as databases
from django.test import AsyncClient, Client
from django.utils import timezone
from knox.models import AuthToken
from oauth2_provider.models import get_access_token_model, get_application_model
from rest_framework.authtoken.models import Token

from channels_token_auth import aconnections
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.cluster import connections as directory
from channels_token_auth.cluster.connections import Connections
from channels_token_auth.node.node import here
from channels_token_auth.views import own_connections as views
from tests.threads import in_thread

BACKENDS = "channels_token_auth.backends"
ALL = "/auth/connections/"
CSRF_TOKEN = "c" * 32


@pytest.fixture(autouse=True)
def site(site):
    """Its users may have several tokens: knox gives one for each login."""
    site.ROOT_URLCONF = "tests.views.urls"
    site.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [
            {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"},
            {"BACKEND": f"{BACKENDS}.knox.KnoxTokenBackend"},
        ]
    }
    return site


@pytest.fixture
def other(ada):
    """Another token of the same user."""
    return AuthToken.objects.create(ada)[1]


async def by_asgi(method, path, key=None, client=None, **headers):
    ask = getattr(client or AsyncClient(), method)
    return await ask(path, headers=headers | ({"Authorization": f"Token {key}"} if key else {}))


async def by_wsgi(method, path, key):
    """In a thread that no event loop waits for, as a WSGI server does it."""

    def run():
        try:
            return getattr(Client(), method)(path, headers={"Authorization": f"Token {key}"})
        finally:
            databases.close_all()

    return await in_thread(run)


servers = pytest.mark.parametrize("ask", [by_asgi, by_wsgi])


async def named(key):
    """The ids of the sockets, as their user is told them."""
    answer = await by_asgi("get", ALL, key)
    return [each["id"] for each in answer.json()["connections"]]


@servers
@pytest.mark.asvs("7.5.2", "15.3.1")
async def test_own_sockets_are_listed(sockets, token, ask):
    headers = {"client": ["192.0.2.7", 1234], "path": "/chat/"}
    socket = await sockets(token.key, **headers)
    socket.scope["headers"].append((b"origin", b"https://example.com"))
    answer = await ask("get", ALL, token.key)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    (listed,) = body.pop("connections")
    assert body == {"total": 1, "is_complete": True}
    assert listed.pop("opened_at").endswith("Z")
    assert listed == {
        "id": (await aconnections()).connections[0].connection_id,
        "location": "header",
        "address": "192.0.2.7",
        "origin": "https://example.com",
        "path": "/chat/",
        "expires_at": None,
        "is_current": True,
    }


async def test_current_are_those_of_the_token_that_asks(sockets, token, other):
    await sockets(token.key)
    await sockets(other)
    listed = (await by_asgi("get", ALL, token.key)).json()["connections"]
    assert [each["is_current"] for each in listed] == [False, True]


@pytest.mark.asvs("8.2.2")
async def test_other_users_sockets_are_neither_listed_nor_closed(sockets, token, bob):
    his = await sockets((await Token.objects.acreate(user=bob)).key)
    assert (await by_asgi("get", ALL, token.key)).json()["total"] == 0
    (known,) = (await aconnections(user=bob)).connections
    answer = await by_asgi("delete", f"{ALL}{known.connection_id}/", token.key)
    assert (answer.status_code, answer.json()) == (404, {"code": "not_found"})
    assert (await by_asgi("delete", ALL, token.key)).status_code == 204
    assert await his.stays()


@servers
@pytest.mark.asvs("7.5.2")
async def test_deleted_socket_is_signed_out(sockets, token, other, ask):
    mine = await sockets(token.key)
    theirs = await sockets(other)
    path = f"{ALL}{(await named(token.key))[0]}/"
    answer = await ask("delete", path, token.key)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await theirs.closes() == 4410
    assert await mine.stays()
    assert (await sockets(other)).code is not None
    assert await Token.objects.aexists()
    assert not await AuthToken.objects.aexists()


async def test_deleting_a_socket_of_ones_own_token_only_closes_it(sockets, token):
    first, second = await sockets(token.key), await sockets(token.key)
    newest, _ = await named(token.key)
    assert (await by_asgi("delete", f"{ALL}{newest}/", token.key)).status_code == 204
    assert await second.closes() == 4403
    assert await first.stays()
    assert await (await sockets(token.key)).stays()


@servers
@pytest.mark.asvs("7.5.2")
async def test_all_others_are_signed_out(sockets, token, other, ask):
    mine, theirs = await sockets(token.key), await sockets(other)
    answer = await ask("delete", ALL, token.key)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await theirs.closes() == 4410
    assert await mine.stays()
    assert not await AuthToken.objects.aexists()


@pytest.mark.asvs("3.5.1")
async def test_session_counts_with_its_csrf_token_only(sockets, token, ada):
    socket = await sockets(token.key)
    browser = AsyncClient(enforce_csrf_checks=True)
    await browser.aforce_login(ada)
    (listed,) = (await by_asgi("get", ALL, client=browser)).json()["connections"]
    assert not listed["is_current"]
    browser.cookies["csrftoken"] = CSRF_TOKEN
    for path in (ALL, f"{ALL}{listed['id']}/"):
        refused = await by_asgi("delete", path, client=browser)
        assert (refused.status_code, refused.json()) == (403, {"code": "forbidden"})
    assert await socket.stays()
    passed = await by_asgi("delete", ALL, client=browser, **{"X-CSRFToken": CSRF_TOKEN})
    assert passed.status_code == 204
    assert await socket.closes() == 4410


@pytest.mark.parametrize("path", [ALL, f"{ALL}a.1/"])
async def test_without_a_credential_nothing_is_listed_or_closed(path):
    answer = await by_asgi("delete", path)
    assert (answer.status_code, answer.json()) == (401, {"code": "token_missing"})


@pytest.mark.parametrize(
    ("method", "path"), [("post", ALL), ("put", ALL), ("get", f"{ALL}a.1/"), ("post", f"{ALL}a.1/")]
)
@pytest.mark.asvs("3.5.3", "4.1.4")
async def test_other_methods_are_not_allowed(token, method, path):
    assert (await by_asgi(method, path, token.key)).status_code == 405


@pytest.mark.asvs("8.2.3", "14.2.6")
async def test_no_list_shows_a_tokens_id_or_a_token(sockets, token, other):
    await sockets(other)
    (known,) = (await aconnections()).connections
    text = (await by_asgi("get", ALL, token.key)).content.decode()
    assert known.token_id not in text
    assert other not in text


async def test_socket_of_a_node_that_does_not_answer_may_be_there(token, monkeypatch):
    silent = Connections(
        connections=[], total=0, nodes=["a"], missing=["b"], draining=[], unswept=[]
    )
    monkeypatch.setattr(directory, "connections", lambda **_: silent)
    answer = await by_asgi("delete", f"{ALL}b.1/", token.key)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert (await by_asgi("get", ALL, token.key)).json()["is_complete"] is False


@pytest.mark.asvs("8.2.3")
async def test_only_staff_see_nodes(sockets, token, ada):
    await sockets(token.key)
    answers = [(await by_asgi("get", ALL, token.key)).content.decode()]
    ada.is_staff = True
    await ada.asave()
    answers.append((await by_asgi("get", ALL, token.key)).content.decode())
    assert [here().name in answer for answer in answers] == [False, True]
    assert ['"missing"' in answer for answer in answers] == [False, True]


async def test_store_that_is_away_is_unavailable_and_no_error(sockets, token, monkeypatch, caplog):
    def away(*_, **__):
        raise OperationalError

    socket = await sockets(token.key)
    monkeypatch.setattr(DRFTokenBackend, "revoke_user", away)
    answer = await by_asgi("delete", ALL, token.key)
    assert (answer.status_code, answer.json()) == (503, {"code": "unavailable"})
    assert "'drf'" in caplog.text
    assert await socket.stays()


async def test_denylist_that_is_away_is_unavailable(token, monkeypatch):
    def away(*_, **__):
        raise views.unavailable()

    monkeypatch.setattr(views, "revoke_user", away)
    assert (await by_asgi("delete", ALL, token.key)).status_code == 503


@pytest.fixture
def delegated(site, ada):
    """An OAuth token with these scopes, beside DRF's token of the same user."""

    async def issue(scope="newsletter", **settings):
        site.CHANNELS_TOKEN_AUTH = {
            "BACKENDS": [
                {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"},
                {"BACKEND": f"{BACKENDS}.oauth2.OAuth2Backend"} | settings.pop("entry", {}),
            ],
            **settings,
        }
        application = await get_application_model().objects.acreate(
            client_type="public", authorization_grant_type="password"
        )
        row = await get_access_token_model().objects.acreate(
            user=ada,
            application=application,
            scope=scope,
            token="a" * 30,
            expires=timezone.now() + timedelta(hours=1),
        )
        return row.token

    return issue


async def by_bearer(method, path, key):
    return await getattr(AsyncClient(), method)(path, headers={"Authorization": f"Bearer {key}"})


async def test_delegated_token_sees_and_revokes_no_other_token(sockets, token, delegated):
    oauth = await delegated()
    theirs, own = await sockets(token.key), await sockets(oauth, scheme="Bearer")
    body = (await by_bearer("get", ALL, oauth)).json()
    assert (body["total"], [each["is_current"] for each in body["connections"]]) == (1, [True])
    for path in (ALL, *(f"{ALL}{each}/" for each in await named(token.key))):
        await by_bearer("delete", path, oauth)
    assert await theirs.stays()
    assert await Token.objects.aexists()
    assert await own.closes() == 4403


@pytest.mark.parametrize(
    ("given", "scope", "may"),
    [
        ({"CONNECTIONS_SCOPES": ["connections", "write"]}, "connections", False),
        ({"CONNECTIONS_SCOPES": ["connections", "write"]}, "write connections", True),
        ({"entry": {"DELEGATED": False}}, "newsletter", True),
        ({}, "connections", False),
    ],
)
@pytest.mark.asvs("8.3.3")
async def test_delegated_token_needs_all_the_scopes_that_the_site_names(  # noqa: PLR0917 - fixtures, values
    sockets, token, delegated, given, scope, may
):
    oauth = await delegated(scope, **given)
    theirs = await sockets(token.key)
    assert ((await by_bearer("get", ALL, oauth)).json()["total"] == 1) is may
    answer = await by_bearer("delete", ALL, oauth)
    assert answer.status_code == (204 if may else 403)
    assert await theirs.stays() is not may


@pytest.mark.parametrize("is_delegated", [True, False])
async def test_delegated_token_of_staff_sees_no_nodes(sockets, delegated, ada, is_delegated):
    oauth = await delegated(entry={"DELEGATED": is_delegated})
    ada.is_staff = True
    await ada.asave()
    await sockets(oauth, scheme="Bearer")
    answer = (await by_bearer("get", ALL, oauth)).content.decode()
    assert (here().name in answer) is not is_delegated
    assert ('"missing"' in answer) is not is_delegated
