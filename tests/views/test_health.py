"""`GET ready/`: what a load balancer asks, and what it is told."""

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from channels_token_auth.node.node import here, local_nodes
from channels_token_auth.observability.events import OutageBegan, OutageEnded, emit

FAR = "192.0.2.7"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = [SESSIONS, USERS]
    return settings


@pytest.fixture
def outage():
    emit(OutageBegan(service="layer", name="default", error="ConnectionError: refused"))
    yield
    emit(OutageEnded(service="layer", name="default"))


def ask(address=FAR, client=None, **headers):
    client = client or Client()
    return client.get("/auth/ready/", REMOTE_ADDR=address, headers=headers)


def test_process_that_serves_is_ready_and_says_no_more():
    answer = ask()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"ready": True}


def test_services_that_are_down_leave_it_ready_and_are_named_on_this_machine(outage):
    assert ask().json() == {"ready": True}
    answer = ask("127.0.0.1")
    assert answer.status_code == 200
    body = answer.json()
    down = {"service": "layer", "name": "default", "error": "ConnectionError: refused"}
    assert down in body.pop("down")  # others may be those of another test's servers
    assert body == {"ready": True, "draining": []}


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via", "CF-Connecting-IP"],
)
@pytest.mark.asvs("4.1.3")
def test_client_of_a_proxy_is_not_this_machine(outage, name):
    assert ask("127.0.0.1", **{name: "127.0.0.1"}).json() == {"ready": True}


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "a.localhost", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
)
def test_request_for_this_machine_sees_what_is_down(outage, host):
    assert "down" in ask("127.0.0.1", Host=host).json()


@pytest.mark.parametrize(
    "host",
    [
        "www.example.com",
        "www.example.com:8000",
        "192.0.2.7",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "notlocalhost",
        "127.0.0.1,www.example.com",
        "[::1].example.com",
        "::1.example.com",
        "\xff",
    ],
)
@pytest.mark.asvs("4.1.3")
def test_client_of_a_proxy_that_adds_no_header_is_not_this_machine(outage, host):
    """Such a proxy passes on the Host for which the client asked."""
    assert ask("127.0.0.1", Host=host).json() == {"ready": True}


@pytest.mark.parametrize("host", ["", "testserver"])
def test_request_without_a_host_is_not_this_machine_outside_of_tests(outage, host, monkeypatch):
    monkeypatch.setattr("channels_token_auth.views.operators.is_test_environment", lambda: False)
    assert ask("127.0.0.1", Host=host).json() == {"ready": True}


def test_token_sees_what_is_down_from_anywhere(outage, site):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "METRICS_TOKEN": "a-token-of-operators"}
    answer = ask(Host="www.example.com", Authorization="Bearer a-token-of-operators")
    assert "down" in answer.json()
    assert ask(Authorization="Bearer another-token-of-them").json() == {"ready": True}


@pytest.mark.parametrize(("is_staff", "is_active", "sees"), [(1, 1, 1), (0, 1, 0), (1, 0, 0)])
@pytest.mark.django_db
def test_staff_see_what_is_down(outage, is_staff, is_active, sees):
    user = User.objects.create_user("chief", is_staff=is_staff, is_active=is_active)
    client = Client()
    client.force_login(user)
    assert ("down" in ask(client=client).json()) == bool(sees)


@pytest.mark.django_db
def test_session_store_that_is_down_changes_nothing(site, monkeypatch):
    user = User.objects.create_user("chief", is_staff=True)
    client = Client()
    client.force_login(user)

    def fail(*_):
        raise OSError

    monkeypatch.setattr("django.contrib.auth.middleware.get_user", fail)
    assert ask(client=client).json() == {"ready": True}


async def test_draining_node_is_not_ready():
    node = here()
    node.drain.request(0, None, question=None)
    answer = await AsyncClient().get("/auth/ready/")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    node.drain.request(None, None, question=None)
    assert (await AsyncClient().get("/auth/ready/")).status_code == 200


async def test_process_that_had_no_socket_yet_gets_its_node():
    assert not local_nodes()
    await AsyncClient().get("/auth/ready/")
    assert [node.name for node in local_nodes()] == [here().name]


def test_under_wsgi_no_node_is_started():
    ask()
    assert not local_nodes()


def test_site_that_cannot_serve_is_not_ready(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": "no.such.Backend"}]}
    assert (ask().status_code, ask().json()) == (503, {"ready": False})


WRONG = [{"BACKENDS": "wrong"}, {"BACKENDS": [], "METRICS_TOKEN": 1}]


@pytest.mark.parametrize("settings_of_site", WRONG)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}])
def test_wrong_settings_are_logged_once_however_often_anybody_asks(
    site, caplog, settings_of_site, headers
):
    site.CHANNELS_TOKEN_AUTH = settings_of_site
    caplog.clear()  # the signal handlers of the settings have logged it, too
    assert {ask(**headers).status_code for _ in range(5)} == {503}
    assert [each.name for each in caplog.records].count("channels_token_auth") == 1


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.asvs("4.1.4")
def test_only_reading_is_allowed(method):
    assert getattr(Client(), method)("/auth/ready/").status_code == 405


def test_nothing_is_raised_without_an_address():
    assert ask("").status_code == 200
