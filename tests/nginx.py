"""nginx in front of several nodes, as docs/how-to/deployment/several-nodes.md has it."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.services import DEADLINE, children, command_line, free_port, start_private

__all__ = ["Nginx", "nginx"]

CONFIGURATION = """
daemon off;
pid pid;
worker_processes 1;
error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    log_format no_query '$remote_addr [$time_local] "$request_method $uri" $status';
    access_log access.log no_query;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream nodes {{
        least_conn;
        {servers}
    }}
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" close;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Sec-WebSocket-Extensions "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_connect_timeout 2s;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(ports: Iterable[int], port: int | None = None) -> Iterator["Nginx"]:
    """A running nginx, in a temporary folder; on a free port, if none is named."""
    with tempfile.TemporaryDirectory(prefix="nginx-", dir="/tmp") as folder:
        server = Nginx(Path(folder), port or free_port())
        try:
            server.start(ports)
            yield server
        finally:
            server.stop()


class Nginx:
    """A server in front of others. `balance` takes nodes out, or in again; open sockets stay."""

    def __init__(self, folder: Path, port: int) -> None:
        if not shutil.which("nginx"):
            raise RuntimeError("nginx is missing. Type: sudo apt-get install nginx")
        self.folder = folder
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ports: Iterable[int]) -> None:
        """Start the server, and return when it listens."""
        self._write(ports)
        command = ["nginx", "-e", "stderr", "-p", self.folder, "-c", "nginx.conf"]
        self.process = start_private(command, self.folder)
        deadline = time.monotonic() + DEADLINE
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text()
                raise RuntimeError(f"nginx does not start:\n{log}")
            time.sleep(0.02)

    def balance(self, ports: Iterable[int]) -> None:
        """From now on, new connections go to these."""
        workers = self._workers()
        self._write(ports)
        self._signal(signal.SIGHUP)
        deadline = time.monotonic() + DEADLINE
        while self._workers() <= workers and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, and all connections through it."""
        if self.process:
            self._signal(signal.SIGTERM)
            self.process.wait(DEADLINE)
            self.process = None

    def _write(self, ports: Iterable[int]) -> None:
        # max_fails=0: a node that was away a moment ago is tried all the same.
        servers = "\n        ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        text = CONFIGURATION.format(servers=servers, port=self.port)
        (self.folder / "nginx.conf").write_text(text)

    def _signal(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)

    def _workers(self) -> set[int]:
        """Return the ids of the worker processes: one, except for a moment."""
        pids = children(self.process.pid) if self.process else ()
        return {pid for pid in pids if command_line(pid).startswith(b"nginx: worker process\0")}

    def _listens(self) -> bool:
        address = ("127.0.0.1", self.port)
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return True
        return False
