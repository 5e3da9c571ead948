"""Real services for tests: started on demand, private to the test run, ended with it."""

import atexit
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "DEADLINE",
    "PostgreSQL",
    "Redis",
    "children",
    "command_line",
    "free_port",
    "postgresql",
    "redis",
    "start_private",
]

DEADLINE = 600.0  # it ends what hangs only


_reserved = contextlib.ExitStack()
atexit.register(_reserved.close)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on, and no other test run gets.

    It is below the range from which the system gives outgoing connections their ports: one of
    those could take it before the server does.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            _reserve(port)
            probe.bind(("127.0.0.1", port))
            return port


def _reserve(port: int) -> None:
    """Reserve a port among all test runs until this process ends. Raises OSError if one has it.

    Lanes start servers at the same time, seconds after they have chosen a port, and start some
    again on the same port. The mark is a socket in the abstract namespace of Linux: it is visible
    where the port is, and leaves no file.
    """
    mark = _reserved.enter_context(socket.socket(socket.AF_UNIX))
    mark.bind(f"\0channels-token-auth test port {port}")


@contextlib.contextmanager
def postgresql() -> Iterator["PostgreSQL"]:
    """A running PostgreSQL with an empty database, in a temporary folder."""
    # Not where TMPDIR may point: the server's user has to reach it, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="postgresql-", dir="/tmp") as folder:
        server = PostgreSQL(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


class PostgreSQL:
    """A server on a Unix socket, so that it needs no port. Tests may stop it or let it hang."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = _debian_programs()
        self.process: subprocess.Popen[bytes] | None = None
        initdb = [self.programs / "initdb", "--pgdata=data", "--username=postgres", "--no-sync"]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._spawn(initdb).wait(DEADLINE)

    @property
    def settings(self) -> dict[str, str]:
        """The server as Django's DATABASES describes it."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": str(self.folder),
        }

    def start(self) -> None:
        """Start the server, and return when it answers."""
        options = ["listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off"]
        options += ["synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
        command = [self.programs / "postgres", "-D", "data", *(f"--{o}" for o in options)]
        self.process = self._spawn(command)
        ready = [self.programs / "pg_isready", "--quiet", f"--host={self.folder}"]
        deadline = time.monotonic() + DEADLINE
        while subprocess.run(ready, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{self._log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server: its connections end with an error."""
        if self.process is None:
            return
        self.resume()
        self.process.send_signal(signal.SIGINT)  # its "fast" shutdown
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)  # its "immediate" one
            self.process.wait(DEADLINE)
        self.process = None

    def kill(self) -> None:
        """End the server and its connections without a word, as a power cut does."""
        self._signal_all(signal.SIGKILL)
        if self.process:
            self.process.wait(DEADLINE)
            self.process = None

    def pause(self) -> None:
        """Let the server hang: connections stay open, and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        # Each of its processes leads a process group of its own, so there is none to signal.
        if self.process is None:
            return
        for pid in [self.process.pid, *children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _spawn(self, command: list[str | Path]) -> subprocess.Popen[bytes]:
        return start_private(command, self.folder)

    @property
    def _log(self) -> Path:
        return self.folder / "log"


@contextlib.contextmanager
def redis() -> Iterator["Redis"]:
    """A running Redis that keeps nothing on disk."""
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Redis:
    """A server on a free port. Tests may stop it: it then forgets all, and starts on that port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its URL for clients."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and return when it answers."""
        if not shutil.which("redis-server"):
            raise RuntimeError("Redis is missing. Type: sudo apt-get install redis-server")
        command = ["setpriv", "--pdeathsig=KILL", "redis-server", "--bind", "127.0.0.1"]
        command += ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + DEADLINE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis does not start on port {self.port}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill the server: its connections are reset, and new ones refused."""
        if self.process:
            self.process.kill()
            self.process.wait(DEADLINE)
            self.process = None

    def pause(self) -> None:
        """Let the server hang: connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)

    def _answers(self) -> bool:
        address = ("127.0.0.1", self.port)
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
        return False


_USER = pwd.getpwnam("nobody")


def start_private(command: list[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    """Start a service in a folder, where its output goes to the file `log`.

    If we are root, the folder is given to another user, who runs it: PostgreSQL refuses root.
    """
    # setpriv ends the server with us, even if we are killed.
    prefix = ["setpriv", "--pdeathsig=INT"]
    if os.getuid() == 0:
        # Its files too: with a strict umask, only root could read what root has written there.
        for path in (folder, *folder.iterdir()):
            with contextlib.suppress(FileNotFoundError):  # the service may remove one meanwhile
                os.chown(path, _USER.pw_uid, _USER.pw_gid, follow_symlinks=False)
        prefix += [f"--reuid={_USER.pw_uid}", f"--regid={_USER.pw_gid}", "--clear-groups"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*prefix, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _debian_programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not versions:
        raise RuntimeError("PostgreSQL is missing. Type: sudo apt-get install postgresql")
    return versions[-1].parent


def command_line(process: int) -> bytes:
    """The program of a process and its arguments, each with a NUL at its end; b"" if it ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def children(parent: int) -> Iterator[int]:
    """The processes that it has started, and that are there still."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            pid, rest = stat.read_text().split(" ", 1)
            if int(rest.rpartition(")")[2].split()[1]) == parent:
                yield int(pid)
