"""Start a server under test: one worker, on a CPU of its own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from tests.services import free_port

from .contestants import Contestant
from .databases import Database
from .machine import SERVER_CPU

__all__ = ["SERVERS", "Server", "serving", "serving_all"]

ROOT = Path(__file__).parents[1]
APPLICATION = "benchmarks.project.asgi:application"
START_DEADLINE = 60.0
STATE_DEADLINE = 60.0
STOP_DEADLINE = 10.0

SERVERS = {
    "granian": (
        *("granian", "--interface=asgi", "--host=127.0.0.1", "--port={port}", "--workers=1"),
        *("--loop={loop}", "--no-access-log", "--log-level=error", "--backlog=4096"),
        APPLICATION,
    ),
    "uvicorn": (
        *("uvicorn", "--host=127.0.0.1", "--port={port}", "--loop={loop}", "--backlog=4096"),
        *("--no-access-log", "--log-level=critical", APPLICATION),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    output_path: Path

    def state(self, question: str = "") -> dict[str, Any]:
        """Return the process's state: see `project/state.py`."""
        return self.ask("state", question)

    def ask(self, name: str, question: str = "") -> dict[str, Any]:
        """Return the answer of one of the functions in `project/asgi.py`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STATE_DEADLINE)
        try:
            connection.request("GET", f"/{name}?{quote(question)}", headers={"Connection": "close"})
            return json.load(connection.getresponse())
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        """Wait until it answers. Raises RuntimeError, with its output, if it does not."""
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                self.state()
                return
            time.sleep(0.05)
        raise RuntimeError(f"The server did not start:\n{self.output_path.read_text()}")

    def stop(self) -> None:
        """End the whole process group: with SIGTERM, and with SIGKILL if that does not help."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_DEADLINE)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(
    kind: str,
    contestant: Contestant,
    database: Database,
    environ: Mapping[str, str] = {},
    flags: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve a contestant until the end of the `with` block. `flags`: of the server's command."""
    port = free_port()
    prefix = ["setpriv", "--pdeathsig=TERM", "taskset", "--cpu-list", str(SERVER_CPU)]
    values = {"port": port, "loop": os.environ.get("BENCH_LOOP", "asyncio")}
    arguments = [*(each.format(**values) for each in SERVERS[kind]), *flags]
    root = contestant.checkout or ROOT
    given = {"BENCH_APPLICATION": contestant.application, **contestant.environ, **environ}
    # Before the installed package, so that another checkout serves its own code.
    given["PYTHONPATH"] = f"{root / 'src'}:{root}"
    with TemporaryDirectory(prefix="benchmark-") as folder:
        output_path = Path(folder, "output")
        with output_path.open("wb") as output:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", *arguments],
                cwd=root,
                env=os.environ | database.environ | given,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(port=port, process=process, output_path=output_path)
        try:
            server.wait_until_ready()
            yield server
        except Exception as error:
            error.add_note(
                f"{contestant.name} on {kind} printed:\n{output_path.read_text()[-2000:]}"
            )
            raise
        finally:
            server.stop()


@contextmanager
def serving_all(
    kind: str, contestants: Iterable[Contestant], *arguments: Any
) -> Iterator[dict[Contestant, Server]]:
    """Serve each contestant on its own server. Servers without clients use no CPU time."""
    with ExitStack() as stack:
        yield {each: stack.enter_context(serving(kind, each, *arguments)) for each in contestants}
