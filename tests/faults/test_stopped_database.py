"""A token store that is down says nothing about a token, and nobody gets in by it."""

import pytest

from tests.faults.handshakes import CLIENTS, shake_hands, unavailable, welcome
from tests.faults.outages import drop_sessions, stopped
from tests.services import PostgreSQL
from tests.wire.client import Refusal, Socket
from tests.wire.handshakes.case import bearer
from tests.wire.project.people import ALICE, BOB
from tests.wire.servers import Server


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.asvs("16.5.3")
def test_good_token_is_answered_unavailable_and_never_invalid(
    server: Server, store: PostgreSQL, client: str
) -> None:
    assert shake_hands(server, client) == welcome(client)
    with stopped(store):
        assert shake_hands(server, client) == unavailable(server, client)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.asvs("16.5.3")
def test_good_token_is_never_anonymous_where_nobody_needs_one(
    one_server: Server, store: PostgreSQL, client: str
) -> None:
    with stopped(store):
        answer = shake_hands(one_server, client, policy="open")
    assert answer == unavailable(one_server, client)


def test_client_gets_the_time_to_retry_after(one_server: Server, store: PostgreSQL) -> None:
    with stopped(store):
        refusal = one_server.open("/default/whoami/later", [bearer(ALICE)])
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.headers["retry-after"]) == (503, "5")


def test_outage_is_printed_without_the_token(server: Server, store: PostgreSQL) -> None:
    with stopped(store):
        shake_hands(server)
    # In full once a minute: perhaps for a test before.
    assert "OperationalError" in server.output
    assert ALICE not in server.output


@pytest.mark.asvs("16.5.2")
def test_open_socket_outlives_the_outage(server: Server, store: PostgreSQL) -> None:
    socket = server.open("/default/echo-async/outlives", [bearer(ALICE)])
    assert isinstance(socket, Socket)
    with socket:
        with stopped(store):
            shake_hands(server)
            socket.send("down")
            assert socket.read().text == "down"
        socket.send("up")
        assert socket.read().text == "up"


def test_only_a_token_verified_a_moment_ago_gets_in_meanwhile(
    one_server: Server, store: PostgreSQL
) -> None:
    assert shake_hands(one_server, policy="remembering") == welcome()
    with stopped(store):
        assert shake_hands(one_server, policy="remembering") == welcome()
        other = shake_hands(one_server, policy="remembering", token=BOB)
    assert other == unavailable(one_server)


@pytest.mark.parametrize("attempts", [0, 1])
def test_first_handshake_after_the_restart_succeeds(
    server: Server, store: PostgreSQL, attempts: int
) -> None:
    assert shake_hands(server) == welcome()
    with stopped(store):
        for _ in range(attempts):
            assert shake_hands(server) == unavailable(server)
    assert shake_hands(server) == welcome()


def test_first_handshake_after_a_dropped_session_succeeds(
    server: Server, store: PostgreSQL
) -> None:
    assert shake_hands(server) == welcome()
    assert drop_sessions(store) > 0
    assert shake_hands(server) == welcome()
