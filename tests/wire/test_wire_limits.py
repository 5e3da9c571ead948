"""Clients that misbehave, on real servers: too many bad tokens, handshakes, or silent sockets."""

import http.client
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wire.client import Refusal, Socket
from tests.wire.closing import eventually
from tests.wire.handshakes.case import bearer
from tests.wire.project.people import ALICE
from tests.wire.servers import Server, launch, stop_all

KINDS = ["granian", "uvicorn-sansio"]
LIMITS = {
    # By the hour and the day: at 3 a minute, a test that takes 20 s may fail once more.
    "FAILURES": "3/hour",
    "HANDSHAKES": "40/day",
    "WAITING": {"address": 3, "node": 8},
}
OFFER = b"Sec-WebSocket-Protocol: token-auth.v1"
GOOD = bearer(ALICE)
_names = (f"limits-{number}" for number in itertools.count())
_addresses = (f"2001:db8:{number:x}::1" for number in itertools.count(1))


@pytest.fixture(scope="module")
def servers(
    wire_database: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    options = {
        "database": wire_database,
        "directory": tmp_path_factory.mktemp("limits"),
        "environment": {"WIRE_TOKEN_AUTH": json.dumps({"LIMITS": LIMITS, "TRUSTED_PROXIES": 1})},
    }
    servers = {kind: launch(kind, **options) for kind in KINDS}
    try:
        for server in servers.values():
            server.wait_until_ready()
        yield servers
    finally:
        stop_all(servers.values())


@pytest.fixture(params=KINDS)
def limited(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture
def address() -> str:
    """An address that no other test has used."""
    return next(_addresses)


def connect(
    server: Server, address: str, *headers: bytes, policy: str = "default", query: str = ""
) -> Any:
    forwarded = f"X-Forwarded-For: 198.51.100.66, {address}".encode()
    return server.open(f"/{policy}/whoami/{next(_names)}{query}", [forwarded, *headers])


def refused(answer: Any) -> tuple[int, int]:
    """The status or close code, and the seconds to wait."""
    if isinstance(answer, Refusal):
        return answer.status, int(answer.headers["retry-after"])
    with answer:
        told = answer.read().json
        assert (told["type"], told["code"], told["retry"]) == ("auth.error", "rate_limited", True)
        return answer.read().code, told["retry_after"]


def is_welcome(answer: Any) -> bool:
    if isinstance(answer, Refusal):
        return False
    answer.drop()
    return True


def is_asked(socket: Socket) -> bool:
    with socket:
        return bool(socket.read().json["type"] == "auth.required")


def check(server: Server, address: str, token: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        connection.request("GET", "/auth/check/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Retry-After"]
    finally:
        connection.close()


@pytest.mark.asvs("6.3.1")
def test_bad_tokens_end_in_429_without_a_query_and_others_are_served(
    limited: Server, address: str
) -> None:
    for _ in range(3):
        assert connect(limited, address, bearer("bad")).status == 401
    queries = limited.queries
    status, wait = refused(connect(limited, address, GOOD))
    assert (status, 0 < wait <= 60 * 60) == (429, True)
    assert refused(connect(limited, address, GOOD, OFFER))[0] == 4429
    assert check(limited, address, ALICE)[0] == 429
    assert limited.queries == queries
    assert is_welcome(connect(limited, next(_addresses), GOOD))


def test_failures_over_http_count_for_sockets(limited: Server, address: str) -> None:
    for _ in range(3):
        assert check(limited, address, "bad")[0] == 401
    assert refused(connect(limited, address, GOOD))[0] == 429


def test_rejected_first_messages_count(limited: Server, address: str) -> None:
    for _ in range(3):
        with connect(limited, address, OFFER, policy="messages") as socket:
            socket.read()
            socket.send_json({"type": "auth", "token": "bad"})
            assert socket.read_until_close().code == 4401
    assert refused(connect(limited, address, OFFER, policy="messages"))[0] == 4429


def test_tickets_that_are_none_count(limited: Server, address: str) -> None:
    for number in range(3):
        assert connect(limited, address, query=f"?ticket=bad{number}").status == 401
    assert refused(connect(limited, address, GOOD))[0] == 429


def test_neighbour_in_the_same_64_bits_is_counted_with_it(limited: Server, address: str) -> None:
    for _ in range(3):
        connect(limited, address, bearer("bad"))
    assert refused(connect(limited, f"[{address[:-1]}ffff]:4711", GOOD))[0] == 429


@pytest.mark.asvs("2.4.1")
def test_handshakes_over_the_rate_are_refused(limited: Server, address: str) -> None:
    for _ in range(40):
        assert is_welcome(connect(limited, address, GOOD))
    assert refused(connect(limited, address, GOOD))[0] == 429
    assert is_welcome(connect(limited, next(_addresses), GOOD))


@pytest.mark.asvs("2.4.1")
def test_silent_sockets_of_one_address_are_bounded(limited: Server, address: str) -> None:
    silent = [connect(limited, address, OFFER, policy="messages") for _ in range(3)]
    assert refused(connect(limited, address, OFFER, policy="messages")) == (4429, 5)
    assert is_welcome(connect(limited, next(_addresses), GOOD))
    for each in silent:
        each.drop()


@pytest.mark.asvs("2.4.1")
def test_silent_sockets_that_time_out_make_room(limited: Server, address: str) -> None:
    silent = [connect(limited, address, OFFER, policy="impatient") for _ in range(3)]
    assert [each.read_until_close().code for each in silent] == [4408] * 3
    assert is_asked(connect(limited, address, OFFER, policy="messages"))
    for each in silent:
        each.drop()


def test_silent_sockets_that_vanish_make_room(limited: Server, address: str) -> None:
    for _ in range(2):
        for socket in [connect(limited, address, OFFER, policy="messages") for _ in range(3)]:
            socket.drop()
        assert eventually(
            lambda: is_asked(connect(limited, address, OFFER, policy="messages")), bool
        )


def test_full_node_refuses_newcomers_until_there_is_room(limited: Server) -> None:
    crowd = [connect(limited, next(_addresses), OFFER, policy="messages") for _ in range(8)]
    assert refused(connect(limited, next(_addresses), OFFER, policy="messages"))[0] == 4429
    for each in crowd:
        each.drop()
    assert eventually(lambda: is_welcome(connect(limited, next(_addresses), GOOD)), bool)
