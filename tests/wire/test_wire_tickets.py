"""Tickets from `POST ticket/` to the socket, on real servers; and one against two processes."""

import http.client
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest

from tests.services import Redis, redis
from tests.wire.answers import Answer, Refused, observe
from tests.wire.client import Refusal
from tests.wire.handshakes.case import INVALID, Case, alice
from tests.wire.project.people import ALICE
from tests.wire.servers import Server, launch, stop_all

PAGE = "http://127.0.0.1:8000"  # the Origin of a case's browser
DEADLINE = 60.0
RIVALS = 100
_names = (f"ticket-{number}" for number in itertools.count())


@dataclass(frozen=True, slots=True)
class Site:
    """Two processes of two kinds, and the cache that they share."""

    servers: tuple[Server, ...]
    cache: Redis


@pytest.fixture(scope="module")
def site(wire_database: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        cache = stack.enter_context(redis())
        location = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": cache.url,
        }
        options = {
            "database": wire_database,
            "directory": tmp_path_factory.mktemp("site"),
            "environment": {"WIRE_CACHE": json.dumps(location)},
        }
        servers: list[Server] = []
        stack.callback(stop_all, servers)
        servers += [launch(kind, **options) for kind in ("uvicorn-sansio", "granian")]
        for server in servers:
            server.wait_until_ready()
        yield Site(tuple(servers), cache)


def ask(server: Server, **headers: str) -> tuple[int, Any]:
    """The answer to `POST ticket/`."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    try:
        connection.request("POST", "/auth/ticket/", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def issue(server: Server, **headers: str) -> str:
    status, body = ask(server, Authorization=f"Bearer {ALICE}", **headers)
    assert status == 200
    return body["ticket"]


def present(server: Server, ticket: str, client: str = "client") -> Answer:
    case = Case(name="ticket", query=f"ticket={ticket}".encode(), answer=INVALID)
    return observe(server, *case.request(next(_names), client))


@pytest.mark.asvs("4.4.3")
def test_ticket_opens_one_socket_and_is_not_printed(server: Server) -> None:
    ticket = issue(server)
    assert present(server, ticket) == alice("ticket").at(server.kind, browser=False)
    assert present(server, ticket) == INVALID.at(server.kind, browser=False)
    assert ticket not in server.output


def test_ticket_of_a_page_opens_a_socket_on_that_page(server: Server) -> None:
    ticket = issue(server, Origin=PAGE)
    assert present(server, ticket, "browser") == alice("ticket").at(server.kind, browser=True)


def test_ticket_of_a_page_that_somebody_took_is_forbidden_and_used_up(server: Server) -> None:
    ticket = issue(server, Origin=PAGE)
    forbidden = Refused(slug="forbidden")
    assert present(server, ticket) == forbidden.at(server.kind, browser=False)
    assert present(server, ticket, "browser") == INVALID.at(server.kind, browser=True)


def test_token_that_is_none_gets_no_ticket(server: Server) -> None:
    assert ask(server, Authorization="Bearer unknown") == (401, {"code": "token_invalid"})
    assert ask(server) == (401, {"code": "token_missing"})


@pytest.mark.asvs("2.3.4", "15.4.2")
def test_of_a_hundred_who_present_one_ticket_to_two_processes_one_gets_a_socket(
    site: Site,
) -> None:
    ticket = issue(site.servers[0])
    together = Barrier(RIVALS)

    def rival(server: Server) -> Answer:
        together.wait(DEADLINE)
        return present(server, ticket)

    with ThreadPoolExecutor(RIVALS) as pool:
        answers = Counter(pool.map(rival, site.servers * (RIVALS // 2)))
    opened = alice("ticket").at("any", browser=False)
    assert answers == {opened: 1, INVALID.at("any", browser=False): RIVALS - 1}


def test_cache_that_is_away_is_unavailable_and_tickets_work_when_it_is_back(site: Site) -> None:
    ticket = issue(site.servers[0])
    site.cache.stop()
    for server in site.servers:
        refusal = server.open(f"/default/whoami/{next(_names)}?ticket={ticket}")
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.headers["retry-after"]) == (503, "5")
        assert present(server, ticket, "browser").close == 4503
        assert ask(server, Authorization=f"Bearer {ALICE}") == (503, {"code": "unavailable"})
        assert ticket not in server.output
    site.cache.start()
    for server in site.servers:
        fresh = present(server, issue(server))
        assert fresh == alice("ticket").at(server.kind, browser=False)
