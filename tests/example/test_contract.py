"""The tutorial's system, sentence by sentence; what has a test elsewhere is not repeated here."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

HELLO = {"command": "Say hello !", "data_string": "back, please"}


def stdout(system, code):
    """Return the output of code in the example's shell."""
    return system.manage("shell", "-v0", "-c", code).stdout.strip()


def test_project_has_channels_authtoken_cors_and_the_admin(system):
    code = "from django.conf import settings as s; print(*s.INSTALLED_APPS)"
    installed = set(stdout(system, code).split())
    assert {"channels", "rest_framework", "rest_framework.authtoken", "corsheaders"} <= installed
    assert "Log in" in system.request("GET", "/admin/login/").text
    assert system.request("GET", "/admin/").headers["Location"] == "/admin/login/?next=/admin/"


def test_development_is_in_memory_and_on_sqlite(system):
    code = "from django.conf import settings as s; "
    code += "print(s.CHANNEL_LAYERS['default']['BACKEND'], s.DATABASES['default']['ENGINE'])"
    layer, engine = stdout(system, code).split()
    assert layer == "channels.layers.InMemoryChannelLayer"
    assert engine == "django.db.backends.sqlite3"


def test_creating_a_user_creates_a_token_that_logs_in_and_connects(system):
    code = "from django.contrib.auth.models import User as U; "
    code += "print(U.objects.create_user('grace', password='hopper-1').auth_token.key)"
    key = stdout(system, code)
    answer = system.log_in(username="grace", password="hopper-1", address="127.0.3.1")
    assert answer.json() == {"token": key}
    with system.socket(f"/?token={key}") as ws:
        ws.send(json.dumps(HELLO))
        assert json.loads(ws.recv(timeout=60)) == {
            "command_response": "The command to say hello was received ",
            "data_string_bacK": "back, please",
        }


def test_socket_is_the_tokens_user(system):
    keys = [system.token("suraj", "123"), system.token("testuserone", "testing123")]
    with system.socket(f"/?token={keys[0]}"):
        headers = [{"Authorization": f"Token {key}"} for key in keys]
        answers = [system.request("GET", "/auth/connections/", headers=each) for each in headers]
        own, other = [answer.json()["connections"] for answer in answers]
    assert "query" in {each["location"] for each in own}
    assert "query" not in {each["location"] for each in other}


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/?tokn=wrong"])
def test_no_token_and_a_bad_token_are_refused_and_no_server_error(system, path):
    before = len(system.output)
    with pytest.raises(InvalidStatus) as refused:
        system.knock(path)
    assert refused.value.response.status_code in {401, 403}
    assert "Traceback" not in system.output[before:]


@pytest.mark.parametrize("query", ["", "?token=wrong"])
def test_bad_token_is_never_an_anonymous_connection(system, query):
    with system.socket(f"/{query}", subprotocols=["token-auth.v1"], origin=system.url) as ws:
        # No first message is awaited: what comes is an error, and then the close.
        assert json.loads(ws.recv(timeout=60))["type"] == "auth.error"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=60)
    assert closed.value.rcvd.code == 4401


def test_no_token_and_no_password_is_in_the_log(system):
    key = system.token("suraj", "123")
    system.log_in(username="suraj", password="a-secret-of-mine", address="127.0.3.2")
    for location in (f"/?token={key}", f"/elsewhere?token={key}"):
        with pytest.raises(InvalidStatus):
            system.knock(location, origin="http://evil.example")
    assert key not in system.output
    assert "a-secret-of-mine" not in system.output
