"""One process a server for the whole session, all of them started at once."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wire.matrix import PAGE, page
from tests.wire.record import Record
from tests.wire.servers import KINDS, Server, launch, make_database, stop_all


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-matrix",
        action="store_true",
        help="write down what the six servers did, instead of comparing it with the page",
    )
    parser.addoption(
        "--server", choices=KINDS, help="run the tests of one server, and those that need none"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--write-matrix", default=False):
        # The page is made when all the others have run.
        items[:] = [item for item in items if item.name != "test_page_is_made_from_the_record"]
    if wanted := config.getoption("--server", default=None):
        others = [item for item in items if _server_of(item) not in (wanted, None)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """Return the recorded measurements; with `--write-matrix`, record and save new ones."""
    record = Record(is_writing=request.config.getoption("--write-matrix", default=False))
    yield record
    if record.is_writing:
        record.save()
        PAGE.write_text(page(record))


@pytest.fixture(scope="session")
def wire_database(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The database of `--database`, else an SQLite file; filled."""
    path = tmp_path_factory.mktemp("wire") / "db.sqlite3"
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    database = json.loads(os.environ.get("TEST_DATABASE", "null")) or sqlite
    make_database(database)
    return database


@pytest.fixture(scope="session")
def kinds(request: pytest.FixtureRequest) -> list[str]:
    """The kinds of the servers that the selected tests are about."""
    wanted = {_server_of(item) for item in request.session.items}
    return [kind for kind in KINDS if kind in wanted]


@pytest.fixture(scope="session")
def fleet(
    kinds: list[str],
    wire_database: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Server]]:
    """The servers that the selected tests ask for, ready."""
    options = {"database": wire_database, "directory": tmp_path_factory.mktemp("servers")}
    servers = {kind: launch(kind, **options) for kind in kinds}
    try:
        for server in servers.values():
            server.wait_until_ready()
        yield servers
    finally:
        stop_all(servers.values())


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, fleet: dict[str, Server]) -> Server:
    return fleet[request.param]


def _server_of(item: pytest.Item) -> str | None:
    """Return the kind of the server that a test is about, if there is one."""
    call = getattr(item, "callspec", None)
    values = call.params.values() if call else ()
    return next((value for value in values if value in [*KINDS]), None)
