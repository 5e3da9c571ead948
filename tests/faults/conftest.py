"""A PostgreSQL for this folder to break, and servers that depend on it, all started at once."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.services import PostgreSQL, postgresql
from tests.wire.servers import Server, launch, make_database, stop_all

# Each with a CONN_MAX_AGE: the library's connections must survive either.
SERVERS = {"daphne": None, "uvicorn-websockets": 0, "granian": None}


@pytest.fixture(scope="session")
def store() -> Iterator[PostgreSQL]:
    """A PostgreSQL with tables and people. A test that breaks it mends it."""
    with postgresql() as store:
        make_database(store.settings)
        yield store


@pytest.fixture(scope="session")
def fleet(
    store: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """One process of each, ready."""
    directory = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        stack.callback(lambda: stop_all(servers.values()))
        for kind, age in SERVERS.items():
            database = store.settings | {"CONN_MAX_AGE": age}
            servers[kind] = launch(kind, database=database, directory=directory)
        for server in servers.values():
            server.wait_until_ready()
        yield servers


@pytest.fixture(
    scope="session",
    params=SERVERS,
    ids=[f"{kind}, CONN_MAX_AGE={age}" for kind, age in SERVERS.items()],
)
def server(request: pytest.FixtureRequest, fleet: dict[str, Server]) -> Server:
    """Each of them, for what a server or the age of connections may change."""
    return fleet[request.param]


@pytest.fixture(scope="session")
def one_server(fleet: dict[str, Server]) -> Server:
    """One of them, for what it cannot."""
    return fleet["uvicorn-websockets"]
