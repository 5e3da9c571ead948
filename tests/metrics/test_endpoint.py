"""`GET metrics/`: for this machine, or with the token."""

import pytest
from django.test import Client

TOKEN = "a-token-for-prometheus"


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.metrics.urls"
    settings.MIDDLEWARE = []
    settings.CHANNELS_TOKEN_AUTH = {**settings.CHANNELS_TOKEN_AUTH, "METRICS_TOKEN": TOKEN}
    return settings


def scrape(address="192.0.2.7", **headers):
    return Client(REMOTE_ADDR=address).get("/auth/metrics/", headers=headers)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_scrape(address):
    answer = scrape(address)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert "channels_token_auth_open_connections " in answer.content.decode()


def test_token_may_scrape_from_anywhere():
    assert scrape(Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ä"},
    ],
)
def test_nobody_else_may(headers):
    answer = scrape(**headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert not answer.content


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via", "CF-Connecting-IP"],
)
@pytest.mark.asvs("4.1.3", "15.3.4")
def test_client_of_a_proxy_on_this_machine_may_not(name):
    assert scrape("127.0.0.1", **{name: "127.0.0.1"}).status_code == 401


def test_client_of_a_proxy_that_adds_no_header_may_not():
    assert scrape("127.0.0.1", Host="www.example.com").status_code == 401
    assert scrape("127.0.0.1", Host="127.0.0.1:8000").status_code == 200


def test_without_a_token_in_the_settings_none_is_right(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": site.CHANNELS_TOKEN_AUTH["BACKENDS"]}
    assert scrape(Authorization="Bearer None").status_code == 401
    assert scrape(Authorization="Bearer ").status_code == 401
