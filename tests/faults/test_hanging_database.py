"""A token store that answers nothing holds nobody longer than VERIFY_TIMEOUT, and not for ever."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.handshakes import CLIENTS, shake_hands, unavailable, welcome
from tests.faults.outages import paused
from tests.faults.proxy import Proxy, proxy_to
from tests.services import PostgreSQL
from tests.wire.servers import Server, running

# Over the "hasty" policy's VERIFY_TIMEOUT of 1 s, and under that of all others, 60 s.
DEADLINE = 30.0


@pytest.mark.parametrize("client", CLIENTS)
def test_handshake_is_answered_unavailable_and_succeeds_when_the_store_goes_on(
    server: Server, store: PostgreSQL, client: str
) -> None:
    assert shake_hands(server, client) == welcome(client)
    with paused(store):
        answer = shake_hands(server, client, policy="hasty", timeout=DEADLINE)
        assert answer == unavailable(server, client)
    assert shake_hands(server, client) == welcome(client)


@pytest.mark.asvs("13.2.6")
def test_handshakes_queued_behind_a_hanging_one_are_answered(
    server: Server, store: PostgreSQL
) -> None:
    with paused(store), ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shake_hands, server, policy="hasty") for _ in range(8)]
        assert [each.result() for each in asked] == [unavailable(server)] * 8
    assert shake_hands(server) == welcome()


def test_connection_that_hangs_for_ever_costs_one_handshake(
    store: PostgreSQL, tmp_path: Path
) -> None:
    with far_from("uvicorn-sansio", store, tmp_path) as (server, proxy):
        proxy.cut_off()
        assert shake_hands(server, policy="hasty", timeout=DEADLINE) == unavailable(server)
        assert shake_hands(server, timeout=DEADLINE) == welcome()


def test_handshake_queued_behind_a_connection_that_hangs_for_ever_succeeds(
    store: PostgreSQL, tmp_path: Path
) -> None:
    with (
        far_from("uvicorn-sansio", store, tmp_path) as (server, proxy),
        ThreadPoolExecutor(2) as pool,
    ):
        proxy.cut_off()
        hung = pool.submit(shake_hands, server, policy="hasty")
        assert proxy.swallowed.wait(DEADLINE)
        queued = pool.submit(shake_hands, server)
        assert (hung.result(), queued.result()) == (unavailable(server), welcome())


@pytest.mark.parametrize("kind", ["daphne", "uvicorn-sansio", "granian"])
def test_connection_that_hangs_for_ever_does_not_keep_the_server_from_ending(
    kind: str, store: PostgreSQL, tmp_path: Path
) -> None:
    with far_from(kind, store, tmp_path) as (server, proxy):
        proxy.cut_off()
        assert shake_hands(server, policy="hasty") == unavailable(server)
        server.stop(deadline=120.0)
    assert server.process.returncode != -signal.SIGKILL


@contextmanager
def far_from(kind: str, store: PostgreSQL, directory: Path) -> Iterator[tuple[Server, Proxy]]:
    """A server that is connected to the store, and the proxy between them."""
    with proxy_to(f"{store.folder}/.s.PGSQL.5432") as proxy:
        database = store.settings | {"HOST": "127.0.0.1", "PORT": str(proxy.port)}
        with running(kind, database=database, directory=directory) as server:
            assert shake_hands(server) == welcome()
            yield server, proxy
