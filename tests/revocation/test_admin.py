"""The admin's page of live connections: who may see it and close, and what it shows and does."""

import re
from collections import Counter

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient, RequestFactory
from django.urls import resolve
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import aconnections, arevoke_token
from channels_token_auth.admin import add_connections, listing
from channels_token_auth.admin.pages import Pages
from channels_token_auth.admin.panels import panels as show
from channels_token_auth.cluster.connections import Connections
from channels_token_auth.cluster.overview import Overview, UserCount
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import Limit
from channels_token_auth.limits.exceeded import exceeded
from channels_token_auth.living import Living
from channels_token_auth.node.node import here
from channels_token_auth.verification import authenticator
from tests.backends.own_users.models import Entry

LIST = "/admin/channels_token_auth/connections/"
CSRF_TOKEN = "c" * 32


@pytest.fixture(autouse=True)
def site(site):
    site.ROOT_URLCONF = "tests.revocation.admin_urls"
    site.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    return site


@pytest.fixture
def staff():
    """Logs somebody with these permissions on users in."""

    async def log_in(*permissions, **values):
        user = await User.objects.acreate(username="chief", **{"is_staff": True, **values})
        wanted = Permission.objects.filter(codename__in=[f"{each}_user" for each in permissions])
        await user.user_permissions.aset([each async for each in wanted])
        browser = AsyncClient(enforce_csrf_checks=True)
        await browser.aforce_login(user)
        browser.cookies["csrftoken"] = CSRF_TOKEN
        return browser

    return log_in


@pytest.fixture
async def open_socket(sockets, token):
    return await sockets(token.key, client=["192.0.2.7", 1])


async def post(browser, path, **fields):
    fields["csrfmiddlewaretoken"] = CSRF_TOKEN
    return await browser.post(path, fields, follow=True)


async def the_one():
    (connection,) = (await aconnections()).connections
    return connection


def no(**values):
    """Return an empty answer of the nodes, with some values changed."""
    empty = {"connections": [], "total": 0, "nodes": [], "missing": [], "draining": []}
    return Connections(**{**empty, "unswept": [], **values})


# -- Who may


@pytest.mark.parametrize(
    ("permissions", "values", "may"),
    [
        ((), {}, ""),
        (("add", "delete"), {}, ""),
        (("view",), {}, "view"),
        (("change",), {}, "view+close"),
        ((), {"is_superuser": True}, "view+close"),
        (("view", "change"), {"is_staff": False}, ""),
        ((), {"is_superuser": True, "is_active": False}, ""),
    ],
)
@pytest.mark.usefixtures("open_socket")
@pytest.mark.asvs("8.2.1")
async def test_page_follows_the_permissions_on_users(staff, permissions, values, may):
    browser = await staff(*permissions, **values)
    one = await the_one()
    for path in ("", "data/"):
        assert ((await browser.get(LIST + path)).status_code == 200) is ("view" in may)
    to_close = [f"{LIST}close-user/{one.user_id}/", f"{LIST}close/{one.connection_id}/"]
    for path in to_close:
        assert ((await browser.get(path)).status_code == 200) is ("close" in may)
    for path in to_close:
        await post(browser, path)
    assert bool((await aconnections()).total) is ("close" not in may)


@pytest.mark.parametrize(
    ("permissions", "links"), [((), False), (("view",), True), (("change",), True)]
)
async def test_index_links_to_the_page_for_those_who_may(staff, permissions, links):
    page = (await (await staff(*permissions)).get("/admin/")).content.decode()
    assert (LIST in page) is links


async def test_line_stands_in_the_sidebar_and_in_no_other_app(staff):
    browser = await staff("change")
    assert LIST in (await browser.get("/admin/auth/user/")).content.decode()
    assert LIST not in (await browser.get("/admin/auth/")).content.decode()


@pytest.mark.asvs("3.5.1")
async def test_nothing_is_closed_without_the_csrf_token(sockets, token, staff):
    socket = await sockets(token.key)
    browser = await staff("change")
    path = f"{LIST}close/{(await the_one()).connection_id}/"
    assert (await browser.post(path)).status_code == 403
    assert await socket.stays()


def test_site_of_ones_own_gets_the_page_too():
    mine = AdminSite("mine")
    add_connections(mine)
    names = {each.name for each in mine.get_urls()}
    assert {"channels_token_auth_connections", "index"} <= names
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    assert mine.get_app_list(request, "auth") == []


# -- What it shows


@pytest.mark.asvs("1.2.1")
async def test_page_and_data_show_the_same(sockets, token, staff):
    await sockets(token.key, client=["192.0.2.7", 1234], path="/<b>/")
    browser = await staff("change")
    page = (await browser.get(LIST)).content.decode()
    data = (await browser.get(f"{LIST}data/")).json()
    (row,) = data["rows"]
    assert row["cells"][:2] == ["ada", "192.0.2.7"]
    assert row["cells"][3:] == ["never", "header", "/<b>/", "-", here().name]
    assert data["summary"] == "1 connection"
    for shown in ("<td>ada</td>", "/&lt;b&gt;/", row["close_url"], "1 connection"):
        assert shown in page
    for secret in (token.key, (await the_one()).token_id):
        assert secret not in page + str(data)


async def test_who_may_only_view_is_offered_nothing_to_close(sockets, token, staff):
    await sockets(token.key)
    page = (await (await staff("view")).get(f"{LIST}?q=ada")).content.decode()
    assert "<td>ada</td>" in page
    main = page.partition("<main")[2]
    assert not re.search(r"/close|>Close<|data-close|Action", main)


@pytest.mark.parametrize(
    ("query", "summary"),
    [
        ("", "2 connections"),
        ("ada", "1 connection"),
        (" bob ", "1 connection"),
        ("192.0.2.7", "1 connection"),
        ("192.0.2.9", "0 connections"),
        ("chief", "0 connections"),
    ],
)
@pytest.mark.usefixtures("open_socket")
async def test_search_is_by_user_and_address(sockets, bob, staff, query, summary):
    await sockets((await Token.objects.acreate(user=bob)).key, client=["192.0.2.8", 1])
    answer = await (await staff("view")).get(f"{LIST}data/", {"q": query})
    assert answer.json()["summary"] == summary


@pytest.mark.usefixtures("open_socket")
async def test_search_for_nobody_is_a_mistake(staff):
    answer = await (await staff("view")).get(f"{LIST}data/", {"q": "nobody"})
    assert "sid=abc" in answer.json()["summary"]  # what else to search for
    assert answer.json()["rows"] == []


@pytest.mark.usefixtures("open_socket")
async def test_search_for_a_label_that_no_token_has_is_a_mistake(staff, monkeypatch):
    # Routes that other tests keep would have backends with labels.
    monkeypatch.setattr(authenticator, "authenticators", Living())
    answer = await (await staff("view")).get(f"{LIST}data/", {"q": "sid=s1"})
    assert "'sid'" in answer.json()["summary"]
    assert answer.json()["rows"] == []


async def test_name_that_is_another_users_id_is_not_guessed(ada, bob, staff):
    bob.username = str(ada.pk)
    await bob.asave()
    answer = await (await staff("view")).get(f"{LIST}data/", {"q": str(ada.pk)})
    assert f"'{ada.pk}'" in answer.json()["summary"]
    assert answer.json()["rows"] == []


async def test_page_of_a_user_offers_to_close_all_of_his(token, staff):
    browser = await staff("change")
    assert "close-user" not in (await browser.get(LIST)).content.decode()
    page = (await browser.get(f"{LIST}?q=ada")).content.decode()
    assert f"{LIST}close-user/{token.user_id}/" in page


async def test_anonymous_socket_is_shown_and_closed(sockets, site, staff):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": site.CHANNELS_TOKEN_AUTH["BACKENDS"],
        "ANONYMOUS": True,
    }
    socket = await sockets(None)
    browser = await staff("change")
    (row,) = (await browser.get(f"{LIST}data/")).json()["rows"]
    assert row["cells"][0] == "anonymous"
    assert "revoke" not in (await browser.get(row["close_url"])).content.decode()
    await post(browser, row["close_url"], revoke="on")
    assert await socket.closes() == 4410
    assert not await LogEntry.objects.aexists()


def answers(monkeypatch, found):
    """Have the nodes answer so when they are asked for their sockets."""

    async def answer(**_):
        return found

    monkeypatch.setattr(listing, "aconnections", answer)


@pytest.mark.parametrize(
    ("found", "word", "end"),
    [
        ({"nodes": ["a"], "missing": ["b", "c"]}, "answer", ": b, c."),
        ({"missing": ["b"]}, "answer", ": b."),
        ({"nodes": ["a"], "draining": ["a"]}, "draining", ": a."),
        ({"nodes": ["a"], "unswept": ["a"]}, "sweep", ": a."),
        ({}, "channel layer", "."),
    ],
)
async def test_what_is_wrong_with_nodes_is_shown(staff, monkeypatch, found, word, end):
    answers(monkeypatch, no(**found))
    browser = await staff("view")
    (warning,) = (await browser.get(f"{LIST}data/")).json()["warnings"]
    assert (word in warning, warning.endswith(end)) == (True, True)
    assert f'<li class="warning">{warning}</li>' in (await browser.get(LIST)).content.decode()


async def test_more_than_fit_are_counted(sockets, token, staff, monkeypatch):
    await sockets(token.key)
    some = await aconnections()
    more = no(connections=some.connections, total=7, nodes=["a"])
    answers(monkeypatch, more)
    answer = await (await staff("view")).get(f"{LIST}data/")
    assert answer.json()["summary"] == "7 connections, the newest 1 shown"


def levels(answer):
    """Return the levels of the messages on a page."""
    return [message.level_tag for message in answer.context["messages"]]


async def panels(browser):
    shown = (await browser.get(f"{LIST}data/")).json()["panels"]
    return [dict(panel["rows"]) for panel in shown]


async def test_panels_count_by_user_and_node(sockets, token, staff):
    for _ in range(2):
        await sockets(token.key)
    browser = await staff("view")
    by_user, by_node, *_ = await panels(browser)
    assert by_user == {"ada": 2}
    assert by_node == {here().name: 2}
    page = (await browser.get(LIST)).content.decode()
    assert '<th scope="row">ada</th><td>2</td>' in page


async def test_panels_show_why_sockets_were_closed_and_which_limits_were_reached(
    sockets, token, staff
):
    browser = await staff("view")
    socket, left = await sockets(token.key), await sockets(token.key)
    *_, closes_before, limits_before = await panels(browser)  # those of other tests
    await left.leave()
    exceeded(Limit.TICKETS, 5, 8)
    await arevoke_token(token.key)
    assert await socket.closes() == 4410
    *_, closes, limits = await panels(browser)
    new = Counter(closes) - Counter(closes_before)
    assert new == {"token_revoked": 1, "by client or application": 1}
    assert Counter(limits) - Counter(limits_before) == {"tickets": 1}


async def test_user_of_another_service_is_shown_by_their_key(staff, monkeypatch):
    user = await User.objects.acreate(username="ada")
    counts = [UserCount(user_kind="issuer:x", user_id=str(user.pk), sockets=3)]
    found = Overview(nodes={}, users=counts, closes={}, limits={})

    async def answer():
        return found

    monkeypatch.setattr(listing, "aoverview", answer)
    by_user, *_ = await panels(await staff("view"))
    assert by_user == {str(user.pk): 3}


async def test_panel_sums_up_what_does_not_fit():
    found = Overview(nodes={f"node-{n}": n for n in range(9)}, users=[], closes={}, limits={})
    rows = show(found)[1]["rows"]
    assert len(rows) == 6
    assert rows[-1] == ("4 others", 5 + 6 + 7 + 8)


# -- What it does


async def test_closing_asks_before(sockets, token, staff):
    socket = await sockets(token.key, client=["192.0.2.7", 1])
    browser = await staff("change")
    path = f"{LIST}close/{(await the_one()).connection_id}/"
    page = (await browser.get(path)).content.decode()
    assert "ada from 192.0.2.7" in page
    assert await socket.stays()


@pytest.mark.parametrize("revokes", [False, True])
async def test_one_is_closed_and_its_token_ends_if_that_is_wanted(
    sockets, token, bob, staff, revokes
):
    socket = await sockets(token.key)
    path = f"{LIST}close/{(await the_one()).connection_id}/"
    other = await sockets((await Token.objects.acreate(user=bob)).key)
    fields = {"revoke": "on"} if revokes else {}
    answer = await post(await staff("change"), path, **fields)
    assert answer.redirect_chain == [(LIST, 302)]
    assert levels(answer) == ["success"]
    assert await socket.closes() == 4410
    assert await other.stays()
    assert await Token.objects.filter(user=token.user).aexists() is not revokes


@pytest.mark.parametrize("revokes", [False, True])
@pytest.mark.asvs("7.4.5")
async def test_all_of_a_user_are_closed(sockets, token, bob, staff, revokes):
    mine = [await sockets(token.key), await sockets(token.key)]
    other = await sockets((await Token.objects.acreate(user=bob)).key)
    fields = {"revoke": "on"} if revokes else {}
    path = f"{LIST}close-user/{token.user_id}/"
    answer = await post(await staff("change"), path, **fields)
    assert levels(answer) == ["success"]
    assert [await each.closes() for each in mine] == [4410, 4410]
    assert await other.stays()
    assert await Token.objects.filter(user=token.user).aexists() is not revokes


async def test_what_was_done_stands_in_the_users_history(sockets, token, staff):
    await sockets(token.key)
    await post(await staff("change"), f"{LIST}close-user/{token.user_id}/", revoke="on")
    entry = await LogEntry.objects.select_related("user").aget()
    assert (entry.user.username, entry.object_id) == ("chief", str(token.user_id))
    assert "ada" in entry.change_message


async def test_connection_that_is_gone_is_no_error(staff):
    answer = await (await staff("change")).get(f"{LIST}close/gone.1/", follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert levels(answer) == ["warning"]


async def test_store_that_is_away_is_said(token, staff, monkeypatch):
    def away(*_, **__):
        raise TokenAuthError(CloseReason.UNAVAILABLE)

    monkeypatch.setattr("channels_token_auth.admin.pages.revoke_user", away)
    path = f"{LIST}close-user/{token.user_id}/"
    answer = await post(await staff("change"), path, revoke="on")
    assert levels(answer) == ["error"]


@pytest.mark.parametrize("user_id", ["auth0|7", "7/a"])
async def test_users_of_another_service_are_closed_by_their_id(site, sockets, staff, user_id):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [
            {
                "BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend",
                "OPTIONS": {"stateless": True},
            }
        ]
    }
    token = AccessToken()
    token["user_id"] = user_id
    socket = await sockets(str(token), scheme="Bearer")
    browser = await staff("change")
    answer = await post(browser, f"{LIST}close-user/{quote(user_id)}/")
    assert answer.redirect_chain == [(LIST, 302)]
    assert await socket.closes() == 4410
    assert not await LogEntry.objects.aexists()


def test_user_whose_key_has_a_slash_has_a_page_to_close_them(db, site):
    site.AUTH_USER_MODEL = "own_users.Entry"
    user = Entry.objects.create(dn="cn=ada/root")
    url = listing.listing(user.pk, Pages(admin.site).url)["close_user_url"]
    assert unquote(resolve(url).kwargs["user_id"]) == user.pk


async def test_services_user_with_a_local_users_key_is_another_user(site, sockets, staff, token):
    simple_jwt = "channels_token_auth.backends.simplejwt.SimpleJWTBackend"
    site.CACHES = {
        "default": {"BACKEND": "tests.verification.odd_caches.Remote", "LOCATION": "kinds"}
    }
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [
            *site.CHANNELS_TOKEN_AUTH["BACKENDS"],
            {"BACKEND": simple_jwt, "OPTIONS": {"stateless": True}},
        ]
    }
    raw = AccessToken()
    raw["user_id"] = str(token.user_id)
    mine, theirs = await sockets(token.key), await sockets(str(raw), scheme="Bearer")
    browser = await staff("change")
    rows = (await browser.get(f"{LIST}data/")).json()["rows"]
    assert {each["cells"][0] for each in rows} == {"ada", str(token.user_id)}
    (other,) = (each for each in rows if each["cells"][0] != "ada")
    await post(browser, other["close_url"], revoke="on")
    assert await theirs.closes() == 4410
    assert await mine.stays()
    assert await Token.objects.aexists()
    assert not await LogEntry.objects.aexists()
    await post(browser, f"{LIST}close-user/{token.user_id}/", revoke="on")
    assert await mine.closes() == 4410
    assert await LogEntry.objects.aexists()


@pytest.mark.parametrize("user_id", ["abc", "0", "9" * 40, "%00", "1.5", "-1"])
async def test_user_who_does_not_exist_is_not_found(staff, user_id):
    browser = await staff("change")
    assert (await browser.get(f"{LIST}close-user/{user_id}/")).status_code == 404
    assert (await post(browser, f"{LIST}close-user/{user_id}/")).status_code == 404


# -- All sockets with a label


@pytest.fixture
def with_labels(site):
    site.CACHES = {
        "default": {"BACKEND": "tests.verification.odd_caches.Remote", "LOCATION": "labels"}
    }
    simple_jwt = "channels_token_auth.backends.simplejwt.SimpleJWTBackend"
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": simple_jwt}]}
    return site


def token_with(user, sid):
    token = AccessToken.for_user(user)
    token["sid"] = sid
    return str(token)


@pytest.mark.usefixtures("with_labels")
@pytest.mark.parametrize("sid", ["s1", "a/b&c=d <é>"])
@pytest.mark.parametrize("revokes", [False, True])
async def test_all_sockets_with_a_label_are_closed(sockets, ada, staff, sid, revokes):
    raw = token_with(ada, sid)
    socket = await sockets(raw, scheme="Bearer")
    other = await sockets(token_with(ada, "s2"), scheme="Bearer")
    browser = await staff("change")
    url = (await browser.get(f"{LIST}data/", {"q": f"sid={sid}"})).json()["close_label_url"]
    page = (await browser.get(url)).content.decode()
    assert ('name="revoke"' in page, "<é>" in page) == (True, False)
    await post(browser, url, **({"revoke": "on"} if revokes else {}))
    assert await socket.closes() == 4410
    assert await other.stays()
    assert ((await sockets(raw, scheme="Bearer")).code is None) is not revokes
    entry = await LogEntry.objects.aget()
    assert entry.object_repr == f"sid={sid}"


@pytest.mark.parametrize("label", ["", "sid", "sid=", "=s1"])
async def test_text_that_is_no_label_has_no_page(staff, label):
    browser = await staff("change")
    assert (await browser.get(f"{LIST}close-label/", {"label": label})).status_code == 404


async def test_sockets_with_a_label_are_closed_by_who_may_only(staff):
    browser = await staff("view")
    assert (await browser.get(f"{LIST}close-label/?label=sid=s1")).status_code == 403
    answer = await browser.get(LIST, {"q": "sid=s1"})
    assert "close-label" not in answer.content.decode().partition("<main")[2]


async def test_tokens_with_rows_are_not_offered_to_be_revoked_by_a_label(staff):
    browser = await staff("change")
    url = f"{LIST}close-label/?label=sid=s1"
    assert 'name="revoke"' not in (await browser.get(url)).content.decode()
    answer = await post(browser, url, revoke="on")
    assert answer.status_code == 200
