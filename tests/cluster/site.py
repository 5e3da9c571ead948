"""The example on three nodes, behind nginx, with PostgreSQL and Redis."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import launcher
from tests.nginx import Nginx, nginx
from tests.services import PostgreSQL, children, postgresql, redis
from tests.wire.servers import ROOT, Server, launch, stop_all

__all__ = ["ADMINISTRATOR", "NODES", "Site", "is_ready", "site", "wait_until_it_serves"]

NODES = ("daphne", "uvicorn-sansio", "granian")
APPLICATION = "config.asgi:application"
ADMINISTRATOR = "admin"
DEADLINE = 600.0  # it ends what hangs only


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    nodes: dict[str, Server]
    proxy: Nginx
    postgresql: PostgreSQL
    environ: Mapping[str, str]
    directory: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}/"

    def manage(self, *arguments: str, **environ: str) -> None:
        """Run `manage.py` to its end, as an operator would."""
        finished = self._run(arguments, environ)
        assert finished.returncode == 0, finished.stdout + finished.stderr

    def _run(
        self, arguments: Iterable[str], environ: Mapping[str, str] = {}
    ) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "example" / "manage.py"), *arguments]
        environ = {**os.environ, **self.environ, **environ}
        return launcher.run(command, cwd=ROOT, env=environ, timeout=DEADLINE)

    def name(self, kind: str) -> str:
        """Return the node's name, with the id of the serving process: some servers start one."""
        parent = self.nodes[kind].process.pid
        pids = (parent, *children(parent))
        # Its exit code tells of missing nodes: one that was stopped is missing for a while.
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:  # a node that is slow to answer is not listed
            answer = self._run(["token_connections", "--limit=0", "--json"])
            listed = json.loads(answer.stdout)
            for name in {f"{socket.gethostname()}:{pid}" for pid in pids} & {*listed["nodes"]}:
                return name
        raise RuntimeError(f"{kind} is not among the nodes:\n{answer.stdout}")

    def start(self, kind: str) -> None:
        """Start a node, or another one in its place; nginx is not told yet."""
        self.nodes[kind] = launch(
            kind,
            application=APPLICATION,
            database={},
            directory=self.directory,
            bounded=True,
            environment=self.environ,
        )

    def balance(self, *, but: str | None = None) -> None:
        """Have nginx send new sockets to all nodes whose `auth/ready/` answers 200.

        `but`: a node that nginx must not send any to, although it is ready.
        """
        nodes = (node for kind, node in self.nodes.items() if kind != but)
        self.proxy.balance(node.port for node in nodes if is_ready(node))


@contextmanager
def site(directory: Path, port: int | None = None) -> Iterator[Site]:
    """All of it, ready, with a superuser and nobody else."""
    with ExitStack() as stack:
        store = stack.enter_context(postgresql())
        environ = {
            "CLUSTER_DATABASE": json.dumps(store.settings),
            "CLUSTER_REDIS": stack.enter_context(redis()).url,
            "DJANGO_SETTINGS_MODULE": "tests.cluster.example_settings",
            "EXAMPLE_DEBUG": "1",
            "EXAMPLE_PROXIES": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "example")]),
        }
        proxy = stack.enter_context(nginx([1], port))
        made = Site(nodes={}, proxy=proxy, postgresql=store, environ=environ, directory=directory)
        made.manage("migrate", "--verbosity=0")
        who = f"--username={ADMINISTRATOR}"
        superuser = ["createsuperuser", "--noinput", who, "--email=", "--verbosity=0"]
        made.manage(*superuser, DJANGO_SUPERUSER_PASSWORD=ADMINISTRATOR)
        stack.callback(lambda: stop_all(made.nodes.values()))
        for kind in NODES:
            made.start(kind)
        for node in made.nodes.values():
            wait_until_it_serves(node)
        made.balance()
        yield made


def wait_until_it_serves(node: Server) -> None:
    """Return when it is ready; raise with its output if it never is."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and node.process.poll() is None:
        if is_ready(node):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{node.kind} did not start:\n{node.output}")


def is_ready(node: Server) -> bool:
    """Return whether the node takes new sockets."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    try:
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/auth/ready/")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False
    finally:
        connection.close()
