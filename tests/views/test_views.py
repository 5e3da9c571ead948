"""`ticket/` and `check/`: by header, or by session and CSRF; never by anything else."""

import logging

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import AsyncClient, Client
from rest_framework.authtoken.models import Token

from channels_token_auth import conf
from channels_token_auth.backends.sources.sessions.engines import Sessions
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import build_authenticator

pytestmark = pytest.mark.django_db
DRF = {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}
SESSION = {"BACKEND": "channels_token_auth.backends.session.SessionBackend"}
TELLING = {"BACKEND": "tests.views.backend.TellingBackend"}
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
ORIGIN = "https://app.example.com"
CSRF_TOKEN = "c" * 32
MISSING = (401, "token_missing", "Bearer, Token")
INVALID = (401, "token_invalid", 'Bearer error="invalid_token", Token')
MALFORMED = (400, "malformed", 'Bearer error="invalid_request"')
ENDPOINTS = [("post", "/auth/ticket/"), ("get", "/auth/check/")]
endpoints = pytest.mark.parametrize(("method", "path"), ENDPOINTS)


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = [SESSIONS, CSRF]
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SESSION, DRF, TELLING]}
    yield settings
    cache.clear()


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada", password="first")


@pytest.fixture
def key(ada):
    return Token.objects.create(user=ada).key


@pytest.fixture
def client():
    """A browser's: Django's own test client would not be asked for the CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def page(client, ada):
    """A client that is logged in, and what a page of ours adds to its requests."""
    client.force_login(ada)
    client.cookies["csrftoken"] = CSRF_TOKEN
    return client, {"headers": {"X-CSRFToken": CSRF_TOKEN}}


def bearer(token, **headers):
    return {"headers": {"Authorization": f"Bearer {token}", **headers}}


def redeem(ticket, origin=None):
    """Redeem the ticket, and return the identity or the code of the refusal."""
    presented = Credential(location=Location.TICKET, secret=Secret(ticket), origin=origin)
    (verdict,) = build_authenticator(conf.configuration()).chain.authenticate([presented])
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
@pytest.mark.asvs("14.3.2")
def test_token_in_the_header_gets_a_ticket_of_its_own(client, ada, key, scheme):
    answer = client.post("/auth/ticket/", headers={"Authorization": f"{scheme} {key}"})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"ticket": answer.json()["ticket"], "expires_in": 30}
    identity = redeem(answer.json()["ticket"])
    assert identity.user == ada
    assert identity.authentication.token_id == Secret(key).digest


def test_ticket_is_bound_to_the_page_that_asked(client, key):
    tickets = [
        client.post("/auth/ticket/", **bearer(key, Origin=ORIGIN)).json()["ticket"]
        for _ in range(2)
    ]
    assert redeem(tickets[0]) is CloseReason.FORBIDDEN
    assert redeem(tickets[1], ORIGIN).authentication.location is Location.TICKET


@pytest.mark.asvs("4.4.4")
def test_session_with_csrf_gets_a_ticket(page, ada):
    client, ours = page
    answer = client.post("/auth/ticket/", **ours)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    identity = redeem(answer.json()["ticket"])
    assert identity.user == ada
    authentication = identity.authentication
    assert (authentication.backend, authentication.location) == ("session", "ticket")
    assert authentication.token_id == Secret(client.session.session_key).digest
    assert authentication.expires_at is not None


def test_ticket_of_a_session_falls_with_the_password(page, ada):
    client, ours = page
    ticket = client.post("/auth/ticket/", **ours).json()["ticket"]
    ada.set_password("second")
    ada.save()
    assert redeem(ticket) is CloseReason.TOKEN_REVOKED


@pytest.mark.parametrize("middleware", [[SESSIONS, CSRF], [SESSIONS]])
@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "d" * 32}])
@pytest.mark.asvs("3.5.2", "4.4.4")
def test_session_without_csrf_is_forbidden_whether_or_not_the_middleware_is_there(
    page, site, middleware, headers
):
    site.MIDDLEWARE = middleware
    answer = page[0].post("/auth/ticket/", headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"code": "forbidden"})
    assert answer["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'


def test_session_with_csrf_passes_without_the_middleware_too(page, site):
    site.MIDDLEWARE = [SESSIONS]
    client, ours = page
    assert client.post("/auth/ticket/", **ours).status_code == 200


@pytest.mark.asvs("3.5.1")
def test_page_of_another_site_gets_no_ticket_for_a_session(page):
    client, ours = page
    headers = {**ours["headers"], "Origin": "https://evil.example"}
    assert client.post("/auth/ticket/", headers=headers).status_code == 403


def test_check_returns_the_user_of_the_token(client, ada, key):
    answer = client.get("/auth/check/", **bearer(key))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"user_id": str(ada.pk), "expires_in": None}


@pytest.mark.parametrize(("token", "seconds"), [("expires-100.9", 100), ("expires-0.9", 0)])
def test_check_returns_the_whole_seconds_left(client, token, seconds):
    answer = client.get("/auth/check/", **bearer(token))
    assert answer.json() == {"user_id": "7", "expires_in": seconds}


def test_check_takes_a_session_without_csrf_and_returns_its_lifetime(page, ada):
    session = page[0].session
    session.set_expiry(1000)
    session.save()
    answer = page[0].get("/auth/check/")
    assert answer.json() == {"user_id": str(ada.pk), "expires_in": 999}


@endpoints
@pytest.mark.parametrize(
    ("authorization", "refusal"),
    [
        (None, MISSING),
        ("Basic YTpi", MISSING),
        ("Bearer unknown", INVALID),
        ("Token unknown", INVALID),
        ("Bearer \u20ac", INVALID),
        ("Bearer expires-0", (401, "token_expired", 'Bearer error="invalid_token", Token')),
        ("Bearer expires--5", (401, "token_expired", 'Bearer error="invalid_token", Token')),
        ("Bearer token_revoked", (401, "token_revoked", 'Bearer error="invalid_token", Token')),
        ("Bearer user_inactive", (401, "user_inactive", 'Bearer error="invalid_token", Token')),
        ("Bearer rate_limited", (429, "rate_limited", None)),
        ("Bearer auth_timeout", (403, "auth_timeout", "Bearer")),
        ("Bearer", MALFORMED),
        ("Bearer a b", MALFORMED),
        ("Bearer a\0b", MALFORMED),
        ("Bearer \xff", MALFORMED),
        ("Bearer a, Bearer b", MALFORMED),
        pytest.param("Bearer " + "f" * 5000, MALFORMED, id="too long"),
    ],
)
@pytest.mark.asvs("1.2.1", "4.1.1")
def test_refusal_is_the_tables(client, method, path, authorization, refusal):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = getattr(client, method)(path, headers=headers)
    status, code, challenge = refusal
    assert (answer.status_code, answer.json()) == (status, {"code": code})
    assert answer.headers.get("WWW-Authenticate") == challenge
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "application/json",
        "no-store",
    )


@endpoints
@pytest.mark.asvs("6.3.4")
def test_bad_header_never_falls_back_to_the_session(page, method, path):
    client, ours = page
    headers = {**ours["headers"], "Authorization": "Bearer unknown"}
    answer = getattr(client, method)(path, headers=headers)
    assert answer.json() == {"code": "token_invalid"}


@endpoints
@pytest.mark.asvs("3.5.2", "14.2.1")
def test_nothing_is_read_from_the_query_or_the_body(client, key, method, path, site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LOCATIONS": ["query", "cookie"]}
    client.cookies["token"] = key
    answer = getattr(client, method)(f"{path}?token={key}&ticket={key}", {"token": key})
    assert (answer.status_code, answer.json()) == (401, {"code": "token_missing"})


@endpoints
def test_header_is_read_where_sockets_may_not_use_it(client, key, method, path, site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LOCATIONS": ["ticket"]}
    assert getattr(client, method)(path, **bearer(key)).status_code == 200


@endpoints
def test_site_without_sessions_misses_the_token(client, method, path, site):
    site.MIDDLEWARE = []
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer.json()) == (401, {"code": "token_missing"})


@endpoints
def test_session_of_an_inactive_user_is_refused_as_such(page, ada, method, path, site):
    backend = "django.contrib.auth.backends.AllowAllUsersModelBackend"
    site.AUTHENTICATION_BACKENDS = [backend]
    client, ours = page
    ada.is_active = False
    ada.save()
    client.force_login(ada, backend)
    answer = getattr(client, method)(path, **ours)
    assert (answer.status_code, answer.json()) == (401, {"code": "user_inactive"})


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
@pytest.mark.asvs("3.5.3", "4.1.4")
def test_ticket_is_asked_for_by_post_only(client, key, method):
    assert getattr(client, method)("/auth/ticket/", **bearer(key)).status_code == 405


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_check_only_reads(client, key, method):
    assert getattr(client, method)("/auth/check/", **bearer(key)).status_code == 405


@endpoints
def test_token_store_that_is_away_is_unavailable(client, method, path):
    answer = getattr(client, method)(path, **bearer("away"))
    assert (answer.status_code, answer.json()) == (503, {"code": "unavailable"})
    assert answer["Retry-After"] == "5"


@endpoints
def test_session_store_that_is_away_is_unavailable_and_no_error(
    page, method, path, monkeypatch, caplog
):
    def away(*_):
        raise ConnectionError("the store of sessions is away")

    monkeypatch.setattr(Sessions, "find", away)
    client, ours = page
    answer = getattr(client, method)(path, **ours)
    assert (answer.status_code, answer.json()) == (503, {"code": "unavailable"})
    ours = [each for each in caplog.records if each.name == "channels_token_auth"]
    (error,) = [each for each in ours if each.levelno == logging.ERROR]
    assert error.exc_info is None
    assert "the store of sessions is away" in caplog.text


class FullCache(LocMemCache):
    def add(self, *args, **kwargs):
        return False


def test_cache_that_takes_no_ticket_is_unavailable(client, key, site):
    site.CACHES = {"default": {"BACKEND": f"{__name__}.FullCache"}}
    answer = client.post("/auth/ticket/", **bearer(key))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_tickets_lie_in_the_cache_that_is_set(client, key, site):
    site.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        "tickets": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    }
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "CACHE": "tickets"}
    ticket = client.post("/auth/ticket/", **bearer(key)).json()["ticket"]
    assert redeem(ticket).authentication.location is Location.TICKET


def test_changed_setting_is_seen(client, key, site):
    assert client.get("/auth/check/", **bearer(key)).status_code == 200
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [TELLING]}
    assert client.get("/auth/check/", **bearer(key)).status_code == 401


@endpoints
@pytest.mark.django_db(transaction=True)
def test_store_is_asked_outside_of_the_sites_transaction(client, method, path, monkeypatch):
    """A query that fails in one would make a 500 of our 503."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert getattr(client, method)(path, **bearer("outside")).status_code == 200


def test_endpoints_work_under_asgi(ada, key):
    browser = AsyncClient()
    ticket = async_to_sync(browser.post)("/auth/ticket/", **bearer(key))
    assert redeem(ticket.json()["ticket"]).user == ada
    check = async_to_sync(browser.get)("/auth/check/", **bearer(key))
    assert check.json() == {"user_id": str(ada.pk), "expires_in": None}


@pytest.mark.parametrize(("method", "path"), [*ENDPOINTS, ("get", "/auth/connections/")])
def test_token_decides_whatever_a_site_requires_of_logged_in_users(site, client, key, method, path):
    site.MIDDLEWARE = [
        *site.MIDDLEWARE,
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert getattr(client, method)(path, **bearer(key)).status_code == 200
    assert getattr(client, method)(path).json() == {"code": "token_missing"}


def test_challenge_names_the_schemes_that_the_site_recognises(site, client):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [TELLING]}
    assert client.get("/auth/check/")["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    [*ENDPOINTS, ("get", "/auth/connections/"), ("delete", "/auth/connections/")],
)
@pytest.mark.asvs("6.3.4")
def test_endpoints_need_the_scopes_that_sockets_need(site, client, key, method, path):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{**DRF, "SCOPES": "tests.views.backend.read_scopes"}],
        "SCOPES": ["chat"],
    }
    answer = getattr(client, method)(path, **bearer(key))
    assert (answer.status_code, answer.json()) == (403, {"code": "forbidden"})
    assert answer["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SCOPES": ["read"]}
    assert getattr(client, method)(path, **bearer(key)).status_code in (200, 204)


def test_session_has_no_scopes(site, page):
    client, ours = page
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "SCOPES": ["chat"]}
    assert client.post("/auth/ticket/", **ours).json() == {"code": "forbidden"}


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_token_has_a_limited_number_of_tickets_at_a_time(site, client, key):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LIMITS": {"TICKETS": 2}}
    issued = [client.post("/auth/ticket/", **bearer(key)) for _ in range(3)]
    assert [each.status_code for each in issued] == [200, 200, 429]
    assert issued[2].json() == {"code": "rate_limited"}
    assert issued[2]["Retry-After"] == "30"
    redeem(issued[0].json()["ticket"])
    assert client.post("/auth/ticket/", **bearer(key)).status_code == 200


def test_tickets_of_one_token_take_no_place_of_anothers(site, client, ada, key):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LIMITS": {"TICKETS": 1}}
    other = Token.objects.create(user=get_user_model().objects.create_user("bob")).key
    assert client.post("/auth/ticket/", **bearer(key)).status_code == 200
    assert client.post("/auth/ticket/", **bearer(other)).status_code == 200


def test_limit_of_tickets_can_be_lifted(site, client, key):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LIMITS": {"TICKETS": None}}
    answers = {client.post("/auth/ticket/", **bearer(key)).status_code for _ in range(12)}
    assert answers == {200}
