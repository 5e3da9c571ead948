"""Three nodes of different kinds, nginx in front of them, and what all share."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.cluster.people import key
from tests.cluster.tab import Tab
from tests.nginx import Nginx, nginx
from tests.services import PostgreSQL, Redis
from tests.wire.client import Socket, handshake
from tests.wire.handshakes.case import bearer
from tests.wire.servers import Server, launch, stop_all

__all__ = ["BOUND", "LAYERS", "NODES", "Fleet", "eventually", "fleet_on"]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.cluster.project.settings"}
NODES = ("daphne", "uvicorn-sansio", "granian")
WITH_GRACE = "granian"
"""The node with SWEEP_GRACE."""

BOUND = 60.0
"""Seconds until a sweep has found it on a machine that is busy. It only ends what is broken."""

EXPIRY = 2
LAYERS = {
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # What docs/how-to/deployment/several-nodes.md asks for, in seconds instead of minutes.
        "CONFIG": {"group_expiry": EXPIRY, "expiry": EXPIRY},
    },
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {}},
}
_people = count(1)


def eventually(condition: Callable[[], Any], seconds: float = BOUND) -> Any:
    """Wait until the condition is true, and return its value. Raises AssertionError on time-out."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)
    return found


@dataclass(slots=True, kw_only=True)
class Fleet:
    """`layer`: which channel layer its nodes share. `site`: a WSGI process beside them."""

    layer: str
    nodes: dict[str, Server]
    site: Server
    proxy: Nginx
    redis: Redis
    postgresql: PostgreSQL
    environment: Mapping[str, str]
    directory: Path
    tabs: list[Tab] = field(default_factory=list)
    bystanders: dict[str, Tab] = field(default_factory=dict)
    """The tabs that must stay open, one on each node."""

    # -- Sockets

    def open(self, person: int, node: str | None = None) -> Tab:
        """A socket of theirs, through nginx; or at a node that is named."""
        port = self.nodes[node].port if node else self.proxy.port
        socket = handshake(port, "/default/bare/tab", [bearer(key(person))])
        assert isinstance(socket, Socket), socket
        self.tabs.append(Tab(socket, person))
        return self.tabs[-1]

    def open_everywhere(self, person: int | None = None) -> dict[str, Tab]:
        """A socket of one person on each node."""
        person = person or self.somebody()
        return {node: self.open(person, node) for node in self.nodes}

    def somebody(self) -> int:
        """One of the people, of whom no test has heard yet."""
        return next(_people)

    # -- What is done to them

    def revoke(self, person: int) -> None:
        """By the API, in a process without sockets."""
        self.site.get(f"/revoke/{key(person)}")

    def send_away(self, person: int) -> None:
        """Close their sockets in a way that no sweep would."""
        self.site.get(f"/send-away/{person}")

    def delete(self, person: int) -> None:
        """End their token behind everybody's back."""
        self.sql("DELETE FROM authtoken_token WHERE user_id = %s", person)

    def sql(self, statement: str, *values: Any) -> None:
        settings = self.postgresql.settings
        address = {"host": settings["HOST"], "user": settings["USER"], "dbname": settings["NAME"]}
        with psycopg.connect(**address) as connection:
            connection.execute(statement, values)

    # -- What is seen of them

    def connections(self) -> dict[str, Any]:
        """Return the result of `connections()` in a process without sockets."""
        return self.site.get("/connections")

    def hears(self, tabs: Mapping[str, Tab]) -> None:
        """Return when a message reaches all of these, who are one person's."""
        (person,) = {tab.person for tab in tabs.values()}

        def reached() -> bool:
            self.send_away(person)
            return all(tab.has_ended() for tab in tabs.values())

        eventually(reached)
        assert {tab.code for tab in tabs.values()} == {4503}

    def is_complete(self) -> bool:
        return self._is_complete(self.connections())

    def whole(self, page: str = "connections") -> dict[str, Any]:
        """Return what a page finds once every node answers in time."""
        found: dict[str, Any] = {}

        def is_complete() -> bool:
            found.update(self.site.get(f"/{page}"))
            return self._is_complete(found)

        eventually(is_complete)
        return found

    def _is_complete(self, found: Mapping[str, Any]) -> bool:
        return len(found["nodes"]) == len(self.nodes) and not found.get("missing")

    def close_all(self) -> None:
        """Every client goes, without a word."""
        for tab in self.tabs:
            tab.socket.drop()
        self.tabs.clear()

    # -- Nodes

    def launch(self, kind: str) -> Server:
        """A node, not ready yet."""
        grace = {"CLUSTER_GRACE": "1"} if kind == WITH_GRACE else {}
        return launch(
            kind,
            database=self.postgresql.settings,
            directory=self.directory,
            bounded=True,
            environment=self.environment | grace,
        )

    def balance(self) -> None:
        """Have nginx know of all nodes there are."""
        self.proxy.balance(node.port for node in self.nodes.values())


@contextmanager
def fleet_on(layer: str, redis: Redis, postgresql: PostgreSQL, directory: Path) -> Iterator[Fleet]:
    """All of it, ready, and with a socket opened once on each node."""
    configuration = LAYERS[layer]["CONFIG"] | {"hosts": [redis.url]}
    shared = SETTINGS | {"CLUSTER_LAYER": json.dumps(LAYERS[layer] | {"CONFIG": configuration})}
    options = {"database": postgresql.settings, "directory": directory}
    with ExitStack() as stack:
        site = launch("wsgi", environment=shared, **options)
        stack.callback(site.stop)
        proxy = stack.enter_context(nginx([1]))
        fleet = Fleet(
            layer=layer,
            nodes={},
            site=site,
            proxy=proxy,
            redis=redis,
            postgresql=postgresql,
            environment=shared,
            directory=directory,
        )
        for kind in NODES:
            fleet.nodes[kind] = fleet.launch(kind)
        stack.callback(lambda: stop_all(fleet.nodes.values()))
        for server in (site, *fleet.nodes.values()):
            server.wait_until_ready()
        fleet.balance()
        yield fleet
