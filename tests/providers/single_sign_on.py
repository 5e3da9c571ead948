"""Two nodes of a site, and the OpenID provider at which its users log in and out."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import requests

from tests.client.node import NODE
from tests.cluster.tab import Tab
from tests.services import free_port, redis
from tests.wire.client import Socket, handshake
from tests.wire.handshakes.case import bearer
from tests.wire.servers import WITH_US, Server, launch, run, stop_all

__all__ = ["Browser", "SingleSignOn", "single_sign_on"]

OPENID = Path(__file__).parent / "openid"
APPLICATION = "tests.providers.project.asgi:application"
NODES = ("uvicorn-sansio", "daphne")
DEADLINE = 600.0  # it ends what hangs only


class Browser:
    """One browser of one person, who is logged in by the provider's page."""

    def __init__(self, site: str, provider: str, name: str) -> None:
        self._site, self._provider = site, provider
        self._http = requests.Session()
        page = self._http.get(f"{site}/accounts/oidc/test/login/?process=login", timeout=DEADLINE)
        self._submit(page, login=name, password="any")
        self.token = self._http.get(f"{site}/me", timeout=DEADLINE).json()["token"]

    def is_logged_in(self) -> bool:
        """Return True if Django's session still has a user."""
        answer = self._http.get(f"{self._site}/me", timeout=DEADLINE)
        return answer.json()["user"] is not None

    def log_out_at_provider(self) -> None:
        """Log out on the provider's page, which is not this site's."""
        page = self._http.get(f"{self._provider}/session/end", timeout=DEADLINE)
        self._submit(page, logout="yes")

    def _submit(self, page: requests.Response, **fields: str) -> None:
        """Fill in the page's form, hidden fields included."""
        (action,) = re.findall(r'action="([^"]+)"', page.text)
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        answer = self._http.post(unescape(action), {**dict(hidden), **fields}, timeout=DEADLINE)
        assert answer.ok, answer.text


@dataclass(slots=True, kw_only=True)
class SingleSignOn:
    provider: str
    nodes: list[Server]
    sockets: list[Socket] = field(default_factory=list)

    def log_in(self, name: str) -> Browser:
        return Browser(f"http://127.0.0.1:{self.nodes[0].port}", self.provider, name)

    def open(self, node: Server, token: str) -> Tab:
        """Open a socket as a browser does, which gets the close code also of a refusal."""
        protocol = b"Sec-WebSocket-Protocol: token-auth.v1"
        socket = handshake(node.port, "/", [bearer(token), protocol])
        assert isinstance(socket, Socket), socket
        self.sockets.append(socket)
        return Tab(socket, 0)

    def is_open(self, tab: Tab) -> bool:
        """Return True if a frame gets an answer."""
        tab.socket.send("hello")
        while (frame := tab.socket.read(DEADLINE)).payload != b"hello":
            if frame.closes:
                return False
        return True

    def rotate_keys(self) -> None:
        """Have the provider sign with a new key from now on."""
        urllib.request.urlopen(f"{self.provider}/rotate-keys", timeout=DEADLINE).close()


@contextmanager
def single_sign_on(directory: Path) -> Iterator[SingleSignOn]:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(directory / "site.sqlite3")}
    port = free_port()
    with ExitStack() as stack:
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.providers.project.settings",
            "OPENID_PROVIDER": f"http://127.0.0.1:{port}",
            "OPENID_REDIS": stack.enter_context(redis()).url,
        }
        run(["-m", "django", "migrate", "-v0"], database=database, environment=environment)
        options = {"database": database, "directory": directory, "environment": environment}
        nodes = [launch(kind, application=APPLICATION, **options) for kind in NODES]
        stack.callback(lambda: stop_all(nodes))
        site = SingleSignOn(provider=environment["OPENID_PROVIDER"], nodes=nodes)
        stack.callback(lambda: [each.drop() for each in site.sockets])
        stack.enter_context(_provider(port, f"http://127.0.0.1:{nodes[0].port}", directory))
        for node in nodes:
            node.wait_until_ready()
        yield site


@contextmanager
def _provider(port: int, site: str, directory: Path) -> Iterator[None]:
    log = directory / "provider.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*WITH_US, NODE, "provider.js", str(port), site],
            cwd=OPENID,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/jwks", timeout=5).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"The provider did not start:\n{log.read_text()}")
