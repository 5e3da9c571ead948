"""The six servers: how each is started, found ready, asked about itself, and stopped."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import launcher
from tests.services import free_port
from tests.wire.client import Refusal, Socket, handshake

__all__ = [
    "KINDS",
    "ROOT",
    "WITH_US",
    "Server",
    "launch",
    "make_database",
    "run",
    "running",
    "stop_all",
]

ROOT = Path(__file__).parents[2]
APPLICATION = "tests.wire.project.asgi:application"
WITH_US = ("setpriv", "--pdeathsig=TERM")  # ends a server with us, even if we are killed
# They end what is broken only: beside eight busy processes, a start of two seconds takes a minute.
START_DEADLINE = 600.0
HTTP_DEADLINE = 120.0
STOP_DEADLINE = 10.0
LAST_DEADLINE = 1.0

# Clients here answer no ping: on a slow machine, one that is open for 40 s would be closed.
UVICORN = ("uvicorn", APPLICATION, "--host=127.0.0.1", "--port={port}", "--loop=asyncio")
UVICORN += ("--ws-ping-interval=3600", "--ws-ping-timeout=3600")
DAPHNE = ("daphne", "--bind=127.0.0.1", "--port={port}", "--ping-interval=3600", APPLICATION)
UVICORN_IMPLEMENTATIONS = {
    "sansio": "websockets-sansio",
    "websockets": "websockets",
    "wsproto": "wsproto",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A server's command line; `verbose` makes it print all that it can.

    `bounds`: flags that bound the memory of a client that is not authenticated yet.
    """

    command: tuple[str, ...]
    verbose: tuple[str, ...]
    bounds: tuple[str, ...] = ()


KINDS = {
    "daphne": Kind(
        command=DAPHNE,
        verbose=("--verbosity=3",),
        bounds=("--websocket-max-message-size=65536", "--websocket-max-frame-size=65536"),
    ),
    **{
        f"uvicorn-{name}": Kind(
            command=(*UVICORN, f"--ws={implementation}"),
            verbose=("--log-level=trace",),
            bounds=("--ws-max-size=65536", "--ws-per-message-deflate=false"),
        )
        for name, implementation in UVICORN_IMPLEMENTATIONS.items()
    },
    "granian": Kind(
        command=("granian", "--interface=asgi", "--host=127.0.0.1", "--port={port}", APPLICATION),
        verbose=("--log-level=debug", "--access-log"),
    ),
    "hypercorn": Kind(
        command=("hypercorn", "--bind=127.0.0.1:{port}", APPLICATION),
        verbose=("--log-level=debug", "--access-logfile=-", "--error-logfile=-"),
    ),
}

GRANIAN_WSGI = ("granian", "--interface=wsgi", "--host=127.0.0.1", "--port={port}")
OTHERS = {
    # Has no sockets: it is for what a site does to them from elsewhere.
    "wsgi": Kind(command=(*GRANIAN_WSGI, "tests.cluster.project.wsgi:application"), verbose=()),
}


@dataclass(slots=True, kw_only=True)
class Server:
    kind: str
    port: int
    process: launcher.Program
    output_path: Path
    worker: int = field(default=0)  # the pid that serves, which is a child at granian

    @property
    def output(self) -> str:
        """All that the process printed so far."""
        return self.output_path.read_text(errors="backslashreplace")

    def open(
        self, target: bytes | str, headers: Iterable[bytes | str] = (), **options: Any
    ) -> Socket | Refusal:
        return handshake(self.port, target, headers, **options)

    def probe(self) -> dict[str, Any]:
        """Return what the process holds now: tasks, descriptors and the like."""
        return self.get("/probe")

    def seen(self, socket_name: str) -> dict[str, Any]:
        """Return the events of one socket, and how many queries the process has made in all."""
        return self.get(f"/seen/{socket_name}")

    @property
    def queries(self) -> int:
        """Return how many queries the process has made."""
        return self.seen("none")["queries"]

    def close(self, socket_name: str, slug: str) -> float:
        """Have the library close a socket from a timer; answers when, on the monotonic clock."""
        return self.get(f"/close/{socket_name}/{slug}")

    def release(self, socket_name: str) -> None:
        """Let the handler of a socket of the application `held` go on."""
        self.get(f"/release/{socket_name}")

    def events(self, socket_name: str) -> list[dict[str, Any]]:
        """Return what the application of this socket got, and how it ended."""
        return self.seen(socket_name)["events"]

    def wait_until_ready(self) -> None:
        """Return when it is this very process that answers; raise with its output otherwise."""
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                self.worker = self.get("/pid")
                if os.getpgid(self.worker) == self.process.pid:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{self.kind} did not start:\n{self.output}")

    def get(self, path: str) -> Any:
        """Return the JSON answer of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HTTP_DEADLINE)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return json.load(connection.getresponse())
        finally:
            connection.close()

    def stop(self, deadline: float = STOP_DEADLINE) -> None:
        """End the whole process group: by SIGTERM, and after the deadline by SIGKILL."""
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(deadline)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> None:
        """Ask the whole process group to end, and return at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)


def launch(
    kind: str,
    *,
    database: Mapping[str, Any],
    directory: Path,
    verbose: bool = False,
    bounded: bool = False,
    environment: Mapping[str, str] = {},
    application: str = APPLICATION,
) -> Server:
    """Start one server on a free port and return at once; `wait_until_ready` comes later."""
    port = free_port()
    known = (KINDS | OTHERS)[kind]
    arguments = [*known.command, *(known.verbose if verbose else ())]
    arguments += known.bounds if bounded else ()
    arguments = [application if each == APPLICATION else each for each in arguments]
    output_path = directory / f"{kind}-{port}.log"
    process = launcher.start(
        ["-m", *(each.format(port=port) for each in arguments)],
        cwd=ROOT,
        env=_environment(database, verbose=verbose) | environment,
        output=output_path,
        session=True,
    )
    return Server(kind=kind, port=port, process=process, output_path=output_path)


def stop_all(servers: Iterable[Server]) -> None:
    """Stop servers at the same time, once no test needs them: some wait long for dead clients."""
    servers = list(servers)
    for server in servers:
        server.terminate()
    for server in servers:
        server.stop(LAST_DEADLINE)


@contextmanager
def running(kind: str, **options: Any) -> Iterator[Server]:
    """One server, ready, for the length of a `with` block."""
    server = launch(kind, **options)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def make_database(database: Mapping[str, Any]) -> None:
    """Fill an empty database with the tables and the people of the project."""
    run(["-m", "tests.wire.project.fill"], database=database)


def run(
    command: Iterable[str], *, database: Mapping[str, Any], environment: Mapping[str, str] = {}
) -> None:
    """Have Python run something to its end, in the project."""
    environ = _environment(database, verbose=False) | environment
    finished = launcher.run([*command], cwd=ROOT, env=environ, timeout=START_DEADLINE)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def _environment(database: Mapping[str, Any], *, verbose: bool) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.wire.project.settings",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "WIRE_DATABASE": json.dumps(database),
        "WIRE_LOG_LEVEL": "DEBUG" if verbose else "INFO",
    }
