"""Why a request to an endpoint was refused: for the developer, and never for the client."""

import logging

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.authtoken.models import Token

from channels_token_auth.observability.events import RequestRefused, subscribe
from channels_token_auth.observability.refusal_log import throttle

pytestmark = pytest.mark.django_db
KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    throttle.reset()
    yield settings
    throttle.reset()


@pytest.fixture
def refused():
    seen = []
    end = subscribe(RequestRefused, seen.append)
    yield seen
    end()


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada")


CASES = {
    "no_token": ({}, 401),
    "authorization_without_scheme": ({"Authorization": KEY}, 401),
    "authorization_scheme": ({"Authorization": f"JWT {KEY}"}, 401),
    "token_unknown": ({"Authorization": f"Token {KEY}"}, 401),
    "token_not_recognized": ({"Authorization": "Bearer c4nary"}, 401),
    "malformed_handshake": ({"Authorization": "Bearer "}, 400),
}


@pytest.mark.parametrize(("slug", "case"), CASES.items(), ids=CASES)
@pytest.mark.asvs("16.3.3", "16.5.1")
def test_credential_that_is_refused_is_explained(slug, case, refused, caplog):
    headers, status = case
    answer = Client().post("/auth/ticket/", headers=headers)
    assert answer.status_code == status
    ((event),) = refused
    assert (event.method, event.path, event.detail.slug) == ("POST", "/auth/ticket/", slug)
    (record,) = [each for each in caplog.records if each.name == "channels_token_auth"]
    assert record.levelno == logging.WARNING
    for secret in (KEY, "c4nary"):
        assert secret not in record.getMessage()
    assert slug not in answer.content.decode()


def test_refused_request_has_the_names_that_a_proxy_gave_it(refused):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    Client().post("/auth/ticket/", headers={"X-Request-ID": "r-1", "traceparent": parent})
    assert [(each.request_id, each.traceparent) for each in refused] == [("r-1", parent)]


@pytest.mark.parametrize("name", ["a,b", "a b", "é", f"x-{KEY}", "token=c4nary"])
def test_name_that_is_none_is_ignored(name, refused):
    headers = {"X-Request-ID": name, "traceparent": name, "Authorization": f"JWT {KEY}"}
    Client().post("/auth/ticket/", headers=headers)
    assert [(each.request_id, each.traceparent) for each in refused] == [(None, None)]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, ["'csrftoken'", "X-CSRFToken"]),
        (
            {"CSRF_COOKIE_NAME": "xsrf", "CSRF_HEADER_NAME": "HTTP_X_XSRF_TOKEN"},
            ["'xsrf'", "X-Xsrf-Token"],
        ),
        ({"CSRF_USE_SESSIONS": True}, ["{{ csrf_token }}", "X-CSRFToken"]),
        ({"CSRF_COOKIE_HTTPONLY": True}, ["{{ csrf_token }}", "X-CSRFToken"]),
    ],
)
def test_missing_csrf_token_is_explained_by_the_site_s_own_names(ada, refused, site, values, names):
    """Pages read the cookie and write the header by the names that the settings give them."""
    for name, value in values.items():
        setattr(site, name, value)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post("/auth/ticket/").status_code == 403
    ((event),) = refused
    assert all(each in event.detail.remedy for each in names)


@pytest.mark.asvs("16.3.3")
def test_missing_csrf_token_is_explained(ada, refused):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post("/auth/ticket/").status_code == 403
    assert [each.detail.slug for each in refused] == ["csrf"]


@pytest.mark.asvs("16.3.2")
def test_missing_scope_is_explained(site, ada, refused):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SCOPES": ["chat"]}
    key = Token.objects.create(user=ada).key
    answer = Client().get("/auth/check/", headers={"Authorization": f"Token {key}"})
    assert answer.status_code == 403
    assert [each.detail.slug for each in refused] == ["scopes_missing"]


def test_admitted_request_is_not_reported(ada, refused, caplog):
    key = Token.objects.create(user=ada).key
    answer = Client().get("/auth/check/", headers={"Authorization": f"Token {key}"})
    assert answer.status_code == 200
    assert (refused, caplog.records) == ([], [])
