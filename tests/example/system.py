"""The example as its users have it: a real server process on a free port, with its own database."""

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from tests import launcher
from tests.services import free_port

__all__ = [
    "AS_SHIPPED",
    "COUNTING",
    "DEADLINE",
    "EXAMPLE",
    "FORKED",
    "MANAGE",
    "UNTHROTTLED",
    "Answer",
    "ExampleSystem",
    "example_environment",
    "manage",
]

EXAMPLE = Path(__file__).resolve().parents[2] / "example"
QUICK = {
    "DJANGO_SETTINGS_MODULE": "tests.example.quick_settings",
    "PYTHONPATH": str(EXAMPLE.parent),
}
AS_SHIPPED = {"DJANGO_SETTINGS_MODULE": "config.settings"}
COUNTING = {"DJANGO_SETTINGS_MODULE": "tests.example.counting_settings"}
UNTHROTTLED = {"DJANGO_SETTINGS_MODULE": "tests.example.unthrottled_settings"}
FORKED = str(EXAMPLE / "manage.py")
MANAGE = (sys.executable, FORKED)
# It ends what hangs only: beside seven other processes, a command of a second takes thirty.
DEADLINE = 600.0
_addresses = (f"127.9.{number // 250}.{1 + number % 250}" for number in itertools.count())


def example_environment(**variables: str) -> dict[str, str]:
    """The test run's environment without what it says about Django, and with `variables`.

    It hashes passwords quickly: `DJANGO_SETTINGS_MODULE="config.settings"` is as it is shipped.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXAMPLE_")}
    return kept | QUICK | variables


def manage(*arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` with the arguments, to its end; on an empty database unless one is named."""
    options = {"env": example_environment(**({"EXAMPLE_DATABASE": ":memory:"} | variables))}
    options |= {"cwd": Path.cwd(), "timeout": DEADLINE, "typed": typed}
    return launcher.run([FORKED, *arguments], **options)


class Answer:
    """One HTTP answer, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def json(self) -> dict[str, object]:
        return json.loads(self.text)


class ExampleSystem:
    """A running example. `command` is what serves it: the demo, unless a test says otherwise.

    A command that begins with a program starts it; `FORKED` and `-m` need no new interpreter.
    """

    def __init__(self, folder: Path, *command: str, port: int = 0, **variables: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = {"EXAMPLE_DATABASE": str(folder / "db.sqlite3")} | variables
        self._log = folder / f"server-{self.port}.log"
        self._command = [part.format(port=self.port) for part in command]

    def __enter__(self) -> Self:
        self._process = self._start()
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def _start(self) -> subprocess.Popen[bytes] | launcher.Program:
        self._log.write_text("")
        options = {"env": example_environment(**self.variables), "cwd": EXAMPLE}
        command = self._command or [FORKED, "demo", f"--port={self.port}"]
        if command[0] in (FORKED, "-m"):
            return launcher.start(command, output=self._log, session=True, **options)
        with self._log.open("w") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.request("GET", "/")
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The example does not start:\n{self.output}")
            time.sleep(0.05)

    @property
    def output(self) -> str:
        """All that the server has printed so far."""
        return self._log.read_text()

    def wait_for_output(self, text: str, *, since: int = 0) -> None:
        """Wait until it has written `text` after its first `since` characters."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.output[since:]:
            assert time.monotonic() < deadline, self.output[since:]
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it: to the whole process group. Returns the exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(DEADLINE)

    def has_processes(self) -> bool:
        """Return False once its process group is empty: the end of a process takes a moment."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(DEADLINE)

    def manage(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`manage.py` on this system's database."""
        return manage(*arguments, **(self.variables | variables))

    def request(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        address: str = "127.0.0.1",
    ) -> Answer:
        """One request; `address` (any of 127.*) is where it comes from."""
        client = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=DEADLINE, source_address=(address, 0)
        )
        with contextlib.closing(client):
            client.request(method, path, body, headers or {})
            return Answer(client.getresponse())

    @property
    def administrator(self) -> tuple[str, str]:
        """The name and the password of the administrator, as the demo prints them."""
        found = re.search(r"/admin/ for\n  (\S+) / (\S+)\n", self.output)
        assert found, self.output
        return found[1], found[2]

    def change(self, statement: str, *values: object) -> None:
        """Change rows of the database with SQL: at once, where a command takes seconds."""
        with contextlib.closing(sqlite3.connect(self.variables["EXAMPLE_DATABASE"])) as database:
            database.execute(statement, values)
            database.commit()

    def copy_database(self, folder: Path) -> Path:
        """Copy the database to where a system in that folder looks for it; return the folder."""
        with (
            contextlib.closing(sqlite3.connect(self.variables["EXAMPLE_DATABASE"])) as ours,
            contextlib.closing(sqlite3.connect(folder / "db.sqlite3")) as theirs,
        ):
            ours.backup(theirs)
        return folder

    def log_in(
        self,
        *,
        address: str = "127.0.0.1",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> Answer:
        """A form-encoded login, as the tutorial's clients send it."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
        return self.request("POST", "/api/login/", urlencode(fields), form, address=address)

    def token(self, username: str = "suraj", password: str = "123") -> str:
        """Return a user's token. Each call has an address of its own, so that none is throttled."""
        address = next(_addresses)
        answer = self.log_in(username=username, password=password, address=address)
        return str(answer.json()["token"])

    def socket(self, path: str = "/", **options: object) -> ClientConnection:
        """A WebSocket. `options` are the client's: `subprotocols`, `additional_headers`, …"""
        return connect(f"ws://127.0.0.1:{self.port}{path}", open_timeout=DEADLINE, **options)

    def knock(self, path: str = "/", **options: object) -> None:
        """Opens a WebSocket and closes it: fails as the handshake does."""
        with self.socket(path, **options):
            pass
