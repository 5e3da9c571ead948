"""Start programs of Django in half the time, where a test does not depend on a fresh interpreter.

Most of what `manage.py` or a server does at its start is to import Django, its packages and the
library, for a second or more. The first program of a test run starts a process that imports these
once; see `tests/launched.py`. What a page tells its reader to type first starts as usual.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

__all__ = ["Program", "run", "run_code", "seconds", "start"]

SERVER = Path(__file__).with_name("launched.py")
ROOT = SERVER.parents[1]
DEADLINE = 600.0  # it ends what hangs only
# Warnings are errors in programs, as in tests; also in workers that a server starts. Except those
# of uvicorn's old WebSocket protocol about itself, of Python 3.14 about daphne's WebSocket library,
# and of Whitenoise: nobody has collected static files, and ASGI takes them in one piece.
WARNINGS = (
    "error",
    "ignore:The `websockets` implementation is deprecated",
    "ignore:::uvicorn.protocols.websockets.websockets_impl",
    "ignore:::websockets.legacy",
    "ignore:::websockets.legacy.server",
    "ignore:'asyncio.iscoroutinefunction' is deprecated",
    "ignore:No directory at",
    "ignore:StreamingHttpResponse must consume synchronous iterators",
)
# Python reads these variables before it runs a program.
OF_PYTHON = "PYTHON"

_spent: list[float] = []


def seconds() -> float:
    """Return the processor time of all programs that have ended.

    They are children of the launcher, so the times of this process leave them out.
    """
    return sum(_spent)


class Program:
    """A program that was started: what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None and (end := _launcher().ask(pid=self.pid)):
            self.returncode, seconds = end
            _spent.append(seconds)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended."""
        if (code := self.poll()) is not None:
            return code
        # The launcher keeps the number of a program that has ended until `poll` asks for it.
        descriptor, ending = os.pidfd_open(self.pid), select.poll()
        try:
            ending.register(descriptor, select.POLLIN)
            if not ending.poll(None if timeout is None else timeout * 1_000):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        finally:
            os.close(descriptor)
        return self.wait()

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    typed: Path | None = None,
    session: bool = False,
) -> Program:
    """Start `python` with these arguments. Its output is added to a file.

    It ends when this process does. `typed`: the file that it reads as its input. `session`: it
    leads a session and a process group of its own.
    """
    request = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "env": {**env}}
    request |= {"streams": [*map(str, (typed or os.devnull, output, errors or output))]}
    return Program(_launcher().ask(**request, session=session))


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    typed: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run `python` with these arguments to its end, and return its code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        streams = {name: Path(folder, name) for name in ("typed", "output", "errors")}
        streams["typed"].write_text(typed)
        program = start(arguments, cwd=cwd, env=env, **streams)
        try:
            code = program.wait(timeout)
        finally:
            program.kill()
        texts = {"stdout": streams["output"].read_text(), "stderr": streams["errors"].read_text()}
        return subprocess.CompletedProcess([*arguments], code, **texts)


def run_code(code: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, which has no other environment."""
    return run(["-c", code, *arguments], cwd=ROOT, env=environ, timeout=DEADLINE)


class _Launcher:
    """The process that has imported the modules. It ends with this one."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            environ = {name: text for name, text in os.environ.items() if OF_PYTHON not in name}
            self._process = subprocess.Popen(
                [sys.executable, *(f"-W{each}" for each in WARNINGS), SERVER, str(theirs.fileno())],
                env=environ,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the tests, which end their programs
            )
        self._answers = self._socket.makefile("r")
        self._asking = Lock()  # tests stop their servers from several threads
        atexit.register(self.close)

    def ask(self, **request: Any) -> Any:
        with self._asking:
            self._socket.sendall(f"{json.dumps(request)}\n".encode())
            return json.loads(self._answers.readline())

    def close(self) -> None:
        """End the process: it reads the end of the socket."""
        self._answers.close()
        self._socket.close()
        self._process.wait(60)


@cache
def _launcher() -> _Launcher:
    return _Launcher()
