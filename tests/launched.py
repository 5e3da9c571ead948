"""Start Django's programs in half the time: fork them from a process that has imported its modules.

`tests/launcher.py` starts this file. It reads requests from a socket: to start a program, or how a
program has ended. No module that it imports reads a setting of Django, or starts a thread. Most of
the library is among them: a server that loads a site before it forks (`gunicorn --preload`) has
imported it as early.
"""

import ctypes
import gc
import importlib
import json
import multiprocessing.process
import os
import runpy
import signal
import socket
import sys
from typing import Any

MODULES = (
    "OpenSSL.SSL",
    "autobahn.twisted.websocket",
    "autobahn.websocket.utf8validator",
    "channels.auth",
    "channels.generic.websocket",
    "channels.layers",
    "channels_redis.core",
    "channels_redis.pubsub",
    "channels_token_auth.backends.drf",
    "channels_token_auth.backends.jwt",
    "channels_token_auth.checks",
    "channels_token_auth.middleware",
    "cryptography.x509",
    "django.contrib.admindocs.utils",
    "django.contrib.auth.hashers",
    "django.contrib.sessions.backends.cached_db",
    "django.core.asgi",
    "django.core.cache.backends.locmem",
    "django.core.handlers.asgi",
    "django.core.management.commands.runserver",
    "django.core.serializers.json",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.forms",
    "docutils.core",
    "docutils.parsers.rst.roles",
    "granian.server",
    "hypercorn.asyncio.run",
    "jwt",
    "psycopg",
    "redis.asyncio",
    "requests",
    "twisted.internet.posixbase",
    "twisted.internet.tcp",
    "twisted.protocols.tls",
    "twisted.web.http",
    "uvicorn.main",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvicorn.protocols.websockets.wsproto_impl",
    "whitenoise.middleware",
    "yaml",
)
PR_SET_PDEATHSIG = 1  # see prctl(2)
PATIENCE = 60


def main(descriptor: int) -> dict[str, Any]:
    """Answer requests until the other side ends. In a new program, return what it is to run."""
    for name in MODULES:
        importlib.import_module(name)
    wait_for_answers_to_a_close()
    gc.freeze()  # a collection in a program would copy the memory that it shares with this process
    with socket.socket(fileno=descriptor) as connection, connection.makefile("r") as requests:
        for line in requests:
            request = json.loads(line)
            if "pid" in request:
                answer = _end(request["pid"])
            elif not (answer := os.fork()):
                return request
            connection.sendall(f"{json.dumps(answer)}\n".encode())
    sys.exit()


def wait_for_answers_to_a_close() -> None:
    """Have daphne wait for a minute until a client answers a close.

    It waits for a second, and then resets the connection: a browser that a busy machine stops for
    so long loses the close code.
    """
    factory = sys.modules["autobahn.websocket.protocol"].WebSocketServerFactory
    reset = factory.resetProtocolOptions

    def call(self: Any) -> None:
        reset(self)
        self.closeHandshakeTimeout = PATIENCE

    factory.resetProtocolOptions = call


def _end(pid: int) -> tuple[int, float] | None:
    """Return how a program has ended, or None while it runs.

    Its exit code, as `subprocess` counts it, and the seconds of processor time that it took.
    """
    ended, status, usage = os.wait4(pid, os.WNOHANG)
    return (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime) if ended else None


def become(
    arguments: list[str], cwd: str, env: dict[str, str], streams: list[str], *, session: bool
) -> None:
    """Be the program that `python` with these arguments would be."""
    # The launcher ends with the tests, also with those that are killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if session:
        os.setsid()
    os.chdir(cwd)
    multiprocessing.process.ORIGINAL_DIR = cwd  # read at its import; a spawned worker starts there
    os.environ.clear()
    os.environ.update(env)
    # The streams of this process keep their numbers.
    for number, path in enumerate(streams):
        file = os.open(path, os.O_APPEND | os.O_CREAT | (os.O_WRONLY if number else os.O_RDONLY))
        os.dup2(file, number)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=True)
    first, *rest = arguments
    sys.path[1:1] = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    if first == "-c":
        sys.path[0], sys.argv = "", ["-c", *rest[1:]]
        exec(rest[0], {"__name__": "__main__"})
    elif first == "-m":
        sys.path[0], sys.argv = cwd, rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = os.path.dirname(os.path.abspath(first)), arguments  # noqa: PTH100, PTH120 - as Python has it
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    # Not in `main`: what the program raises ends it as it ends any other one.
    become(**main(int(sys.argv[1])))
