"""A Django project in a temporary folder, made as a page tells its reader to make it.

A page's code block names its file in its first line: `# mysite/asgi.py` is the whole file, and
`# mysite/settings.py: add at the end` is added to the one that `startproject` wrote.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from socket import create_connection

from django.core.management import call_command
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests import launcher
from tests.docs.pages import read
from tests.services import free_port

__all__ = ["DEADLINE", "Project", "ended", "files", "outcome", "section"]

DEADLINE = 600.0  # it ends what hangs only
GRACE = 20.0  # seconds in which a server ends by itself
RUNSERVER = ("python", "manage.py", "runserver", "--noreload", "{port}")
Server = subprocess.Popen[bytes] | launcher.Program
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A password is hashed once for each user and login: that takes longer than to start Django.
QUICK_PASSWORDS = """
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
# Commands of `manage.py`, one after another in one process: most of their time is its start.
_COMMANDS = """
import json, os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
for command in json.loads(sys.argv[1]):
    execute_from_command_line(["manage.py", *command])
"""
_FILE = re.compile(r"(?:#|//|<!--) ([\w./-]+\.\w+)(: add at the end)?(?: -->)?\n")


def section(page: str, heading: str) -> str:
    """Return the text below a heading, up to the next one of its level or above."""
    lines, level, is_code = [], 0, False
    for line in read(page).splitlines(keepends=True):
        is_code ^= line.startswith("```")
        is_heading = line.startswith("#") and not is_code
        if level and is_heading and len(line) - len(line.lstrip("#")) <= level:
            break
        if level:
            lines.append(line)
        elif is_heading and line.strip() == heading:
            level = len(line) - len(line.lstrip("#"))
    assert lines, f"{page} has no section {heading!r}"
    return "".join(lines)


def files(text: str) -> dict[str, tuple[str, bool]]:
    """Return the code blocks that name a file: its text, and whether it is added to one."""
    named = ((_FILE.match(code), code) for _, code in _BLOCK.findall(text))
    return {match[1]: (code, bool(match[2])) for match, code in named if match}


class Project:
    """A project named mysite, and what its developer does with it.

    `is_forked`: its programs start in half the time, and know the library's system checks.
    """

    def __init__(
        self, folder: Path, python: str | Path = sys.executable, *, is_forked: bool = True
    ) -> None:
        self.folder = folder
        self.python = python
        # The launcher runs in the environment of the tests.
        self.is_forked = is_forked and str(python) == sys.executable
        self.log = folder / "server.log"
        if not (folder / "manage.py").exists():
            call_command("startproject", "mysite", folder)
            with (folder / "mysite" / "settings.py").open("a") as settings:
                settings.write(QUICK_PASSWORDS)

    def copy(self, folder: Path) -> "Project":
        """Return a copy in an empty folder, with its database."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Project(folder, self.python, is_forked=self.is_forked)

    def write(self, text: str) -> None:
        """Make the files of a page, or of a section of it."""
        for name, (code, is_added) in files(text).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if is_added else "w") as file:
                file.write(f"\n{code}" if is_added else code)

    def manage(self, *arguments: str, **variables: str) -> str:
        """Return what `manage.py` prints."""
        return self.run("manage.py", *arguments, **variables)

    def manage_all(self, *commands: Sequence[str], **variables: str) -> str:
        """Return what several commands of `manage.py` print; they run in one process."""
        return self.run("-c", _COMMANDS, json.dumps(commands), **variables)

    def run(self, *arguments: str, **variables: str) -> str:
        options = {"cwd": self.folder, "env": _environ(variables), "timeout": DEADLINE}
        if self.is_forked:
            finished = launcher.run(arguments, **options)
        else:
            command = [self.python, *arguments]
            finished = subprocess.run(
                command, capture_output=True, text=True, check=False, **options
            )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    @contextlib.contextmanager
    def serve(self, *command: str, host: str = "127.0.0.1", **variables: str) -> Iterator[str]:
        """Run a server, and yield its address: `manage.py runserver`, or a command with {port}.

        A command begins with the name of a program that is installed beside Python.
        """
        port = free_port()
        server = self._start([each.format(port=port) for each in command or RUNSERVER], variables)
        try:
            self._wait(server, host, port)
            yield f"{host}:{port}"
        finally:
            _stop(server)

    def _start(self, command: list[str], variables: dict[str, str]) -> Server:
        name, *arguments = command
        options = {"cwd": self.folder, "env": _environ({"PYTHONUNBUFFERED": "1", **variables})}
        self.log.write_text("")
        if self.is_forked:
            program = [] if name == "python" else [str(Path(self.python).with_name(name))]
            return launcher.start([*program, *arguments], output=self.log, session=True, **options)
        with self.log.open("w") as log:
            return subprocess.Popen(
                [Path(self.python).with_name(name), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    def _wait(self, server: Server, host: str, port: int) -> None:
        deadline = time.monotonic() + DEADLINE
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), create_connection((host, port), 1):
                return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


def _stop(server: Server) -> None:
    """End a server and its workers."""
    server.terminate()
    try:
        server.wait(GRACE)
    except subprocess.TimeoutExpired:
        # On a busy machine granian may get the signal while a worker starts, and then waits for it.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(DEADLINE)


def outcome(
    url: str, *, wait: float = DEADLINE, frames: int = 0, then: str | None = None, **options
) -> list[str | int]:
    """Return what a client meets: the frames without `auth.*`, and how its socket ended.

    The end is a close code, an HTTP status if the handshake was refused, or "open" if nothing
    comes for `wait` seconds: short where the socket stays open, else as long as it takes. `frames`
    come before that, however slow the machine is. `then` is a text to send on the open socket.
    """
    try:
        socket = connect(url, open_timeout=DEADLINE, close_timeout=1, **options)
    except InvalidStatus as refused:
        return [refused.response.status_code]
    except InvalidMessage:  # the server hung up
        return [0]
    with socket:
        if then is not None:
            with contextlib.suppress(ConnectionClosed):
                socket.send(then)
        return list(_frames(socket, wait, frames))


def ended(
    url: str,
    *,
    wait: float = DEADLINE,
    then: str | None = None,
    act: Callable[[], object] = lambda: None,
    **options,
) -> int | None:
    """Return the code that an open socket is closed with after `act`; None if it stays open."""
    with connect(url, open_timeout=DEADLINE, close_timeout=1, **options) as socket:
        if then is not None:
            socket.send(then)
        list(_frames(socket, 0.3))
        act()
        *_, end = _frames(socket, wait)
        return None if end == "open" else end


def _frames(socket: ClientConnection, wait: float, expected: int = 0) -> Iterable[str | int]:
    try:
        while True:
            frame = socket.recv(timeout=DEADLINE if expected > 0 else wait)
            if '"type":"auth.' not in frame:
                expected -= 1
                yield frame
    except TimeoutError:
        yield "open"
    except ConnectionClosed as closed:
        yield closed.rcvd.code if closed.rcvd else 1006


def _environ(variables: dict[str, str]) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", **variables}
