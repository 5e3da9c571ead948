"""One PostgreSQL and one Redis for this folder to break, and three nodes for each channel layer."""

from collections.abc import Iterator

import pytest

from tests.cluster.fleet import LAYERS, SETTINGS, Fleet, eventually, fleet_on
from tests.cluster.holdings import growth, settled
from tests.services import PostgreSQL, postgresql, redis
from tests.wire.servers import run


@pytest.fixture(scope="session")
def database() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        settings = SETTINGS | {"CLUSTER_LAYER": "{}"}
        fill = ["-m", "tests.cluster.project.fill"]
        run(fill, database=server.settings, environment=settings)
        yield server


@pytest.fixture(scope="session", params=LAYERS)
def whole_fleet(
    request: pytest.FixtureRequest,
    database: PostgreSQL,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Fleet, dict[str, int]]]:
    """And what it holds when nobody is connected."""
    directory = tmp_path_factory.mktemp("nodes")
    with redis() as server, fleet_on(request.param, server, database, directory) as fleet:
        fleet.open_everywhere()
        eventually(fleet.is_complete)
        fleet.close_all()
        yield fleet, settled(fleet)


@pytest.fixture
def fleet(whole_fleet: tuple[Fleet, dict[str, int]]) -> Iterator[Fleet]:
    """All nodes, and on each somebody who has to stay. Whatever is done, nothing is left of it."""
    fleet, idle = whole_fleet
    fleet.bystanders = fleet.open_everywhere()
    eventually(fleet.is_complete)
    yield fleet
    eventually(fleet.is_complete)
    assert [kind for kind, tab in fleet.bystanders.items() if not tab.answers()] == []
    fleet.close_all()
    assert growth(fleet, since=idle) == {}
