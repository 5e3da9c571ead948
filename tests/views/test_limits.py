"""FAILURES at the HTTP endpoints: bad credentials count, and too many are answered with 429."""

import logging

import pytest
from django.core.cache import cache
from django.test import AsyncClient, Client

from channels_token_auth.observability.refusal_log import throttle
from channels_token_auth.views.request_address import request_address

pytestmark = pytest.mark.django_db
TELLING = {"BACKEND": "tests.views.backend.TellingBackend"}
ENDPOINTS = [
    ("get", "/auth/check/"),
    ("post", "/auth/ticket/"),
    ("get", "/auth/connections/"),
    ("delete", "/auth/connections/"),
    ("delete", "/auth/connections/1/"),
]
endpoints = pytest.mark.parametrize(("method", "path"), ENDPOINTS)
PROXY = {"REMOTE_ADDR": "10.0.0.1"}


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = []
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [TELLING], "LIMITS": {"FAILURES": "2/min"}}
    yield settings
    cache.clear()


def ask(token, method="get", path="/auth/check/", address="203.0.113.1", **extra):
    headers = {"Authorization": f"Bearer {token}", **extra.pop("headers", {})}
    extra = {"REMOTE_ADDR": address, **extra}
    return getattr(Client(), method)(path, headers=headers, **extra)


@endpoints
def test_too_many_failures_are_answered_with_429_before_any_query(
    method, path, django_assert_num_queries
):
    for _ in range(2):
        assert ask("bad", method, path).status_code == 401
    with django_assert_num_queries(0):
        refused = ask("expires-60", method, path)
    assert (refused.status_code, refused.json()) == (429, {"code": "rate_limited"})
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Cache-Control"] == "no-store"


@endpoints
def test_failures_at_one_endpoint_count_at_all(method, path):
    for _ in range(2):
        ask("bad", method, path)
    assert ask("expires-60").status_code == 429


def test_another_address_is_answered():
    for _ in range(2):
        ask("bad")
    assert ask("expires-60", address="203.0.113.2").status_code == 200


@pytest.mark.parametrize("token", ["token_revoked", "token_expired", "user_inactive", "away"])
def test_token_that_was_good_once_is_no_failure(token):
    for _ in range(3):
        ask(token)
    assert ask("expires-60").status_code == 200


def test_request_without_a_token_is_no_failure():
    for _ in range(3):
        assert Client().get("/auth/check/", REMOTE_ADDR="203.0.113.1").status_code == 401
    assert ask("expires-60").status_code == 200


def test_malformed_header_is_a_failure(site):
    for _ in range(2):
        assert ask("a b").status_code == 400
    assert ask("expires-60").status_code == 429


def test_default_spares_internal_addresses(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [TELLING]}
    for _ in range(31):
        assert ask("bad", address="127.0.0.1").status_code == 401
        last = ask("bad")
    assert last.status_code == 429


def test_warning_names_the_setting_once(caplog):
    caplog.set_level(logging.WARNING, "channels_token_auth")
    throttle.reset()
    for _ in range(6):
        ask("bad")
    assert [each for each in caplog.messages if "limit_failures" in each] == [
        each for each in caplog.messages if 'LIMITS["FAILURES"]' in each
    ]
    assert len([each for each in caplog.messages if "limit_failures" in each]) == 1


def test_forged_header_moves_no_failure_to_another_address():
    for number in range(2):
        ask("bad", headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert ask("expires-60").status_code == 429


@pytest.mark.asvs("15.3.4")
def test_trusted_proxies_distinguish_clients(site):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "TRUSTED_PROXIES": 1}
    behind = {"headers": {"X-Forwarded-For": "198.51.100.66, 203.0.113.1"}, **PROXY}
    for _ in range(2):
        ask("bad", **behind)
    assert ask("expires-60", **behind).status_code == 429
    other = {"headers": {"X-Forwarded-For": "203.0.113.1, 203.0.113.2"}, **PROXY}
    assert ask("expires-60", **other).status_code == 200


@pytest.mark.asvs("4.1.3")
async def test_header_with_underscores_is_not_believed_under_asgi(site, rf, async_rf):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "TRUSTED_PROXIES": 1}
    request = async_rf.get("/")
    request.scope["headers"] += [
        (b"x-forwarded-for", b"203.0.113.1"),
        (b"x_forwarded_for", b"203.0.113.66"),
    ]
    assert request_address(request).text == "203.0.113.1"


def test_request_over_a_unix_socket_has_no_address(rf):
    assert request_address(rf.get("/", REMOTE_ADDR="")) is None


async def test_asynchronous_server_is_limited_as_well():
    client = AsyncClient()
    headers = {"Authorization": "Bearer bad"}
    for _ in range(2):
        await client.get("/auth/check/", headers=headers)
    assert (await client.get("/auth/check/", headers=headers)).status_code == 429


def test_audit_record_of_a_refused_request_has_the_clients_address(site, caplog):
    caplog.set_level(logging.INFO, "channels_token_auth.audit")
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "TRUSTED_PROXIES": 1}
    ask("bad", headers={"X-Forwarded-For": "198.51.100.66, 203.0.113.1"}, **PROXY)
    (record,) = [each for each in caplog.records if each.name == "channels_token_auth.audit"]
    assert (record.event, record.address) == ("request_refused", "203.0.113.1")
