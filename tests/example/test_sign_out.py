"""Sign out everywhere else, and list one's own sockets."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

SIGN_OUT = "/api/sign-out-everywhere-else/"


@pytest.fixture(scope="module")
def keys(system):
    """Tokens of users of their own, since they end."""
    code = "from django.contrib.auth.models import User as U\n"
    code += "for number in range(20):\n"
    code += "  print(U.objects.create_user(f'leaver-{number}').auth_token.key)"
    return iter(system.manage("shell", "-v0", "-c", code).stdout.split())


@pytest.fixture
def key(keys):
    """The token of somebody whom no other test has met."""
    return next(keys)


def header(key, scheme="Token"):
    return {"Authorization": f"{scheme} {key}"}


def closed_with(ws):
    with pytest.raises(ConnectionClosed) as closed:
        ws.recv(timeout=60)
    return closed.value.rcvd.code


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_signing_out_closes_all_sockets_and_gives_a_new_token(system, key, scheme):
    with (
        system.socket(additional_headers=header(key)) as one,
        system.socket(f"/?token={key}") as other,
    ):
        answer = system.request("POST", SIGN_OUT, headers=header(key, scheme))
        assert (answer.status, answer.json()["closed"]) == (200, 2)
        assert "no-store" in answer.headers["Cache-Control"]
        assert [closed_with(one), closed_with(other)] == [4410, 4410]
    with pytest.raises(InvalidStatus):
        system.knock(additional_headers=header(key))
    system.knock(additional_headers=header(answer.json()["token"]))


@pytest.mark.parametrize("authorization", [None, "Token wrong", "Bearer wrong", "Basic YTpi"])
def test_signing_out_needs_the_token(system, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = system.request("POST", f"{SIGN_OUT}?token=wrong", headers=headers)
    assert answer.status == 401


def test_signing_out_is_bounded(system, keys):
    def is_bounded():
        """Return False also if the attempts took a minute, after which the first do not count."""
        key, statuses = next(keys), []
        for _ in range(11):
            answer = system.request("POST", SIGN_OUT, headers=header(key))
            statuses.append(answer.status)
            key = answer.json().get("token", key)
        return statuses == [200] * 10 + [429]

    assert any(is_bounded() for _ in range(3))


def test_users_see_where_they_are_signed_in(system, key):
    with system.socket(additional_headers=header(key)):
        (listed,) = listed_connections(system, key)
    assert (listed["location"], listed["is_current"]) == ("header", True)
    assert listed["address"] == "127.0.0.1"


def listed_connections(system, key):
    """Return a user's connections, once the server's node has answered in time."""
    found = []
    for _ in range(20):
        answer = system.request("GET", "/auth/connections/", headers=header(key))
        if found := answer.json()["connections"]:
            break
    return found


def test_hello_with_a_ticket(system, key):
    ticket = system.request("POST", "/auth/ticket/", headers=header(key)).json()["ticket"]
    with system.socket(f"/?ticket={ticket}") as ws:
        ws.send(json.dumps({"command": "Say hello !", "data_string": "x"}))
        assert "data_string_bacK" in ws.recv(timeout=60)
    assert ticket not in system.output


def test_page_opened_from_a_file_may_ask(system, key):
    answer = system.request("GET", "/auth/connections/", headers=header(key) | {"Origin": "null"})
    assert answer.headers["Access-Control-Allow-Origin"] == "null"
