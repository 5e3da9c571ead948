"""Two nodes that a Prometheus watches, and what may happen to them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from tests.deploy.prometheus import Prometheus, prometheus
from tests.docs.project import Project, section
from tests.services import Redis, redis
from tests.wire.client import Refusal, handshake

__all__ = ["Incident", "eventually", "incident"]

SETTINGS = """
CHANNEL_LAYERS = {{
    "default": {{
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {{"hosts": ["{url}"]}},
    }}
}}
CHANNELS_TOKEN_AUTH |= {{"SWEEP_INTERVAL": 4, "LIMITS": {{"FAILURES": "100/hour"}}}}
"""
URLS = """
from django.urls import include

urlpatterns += [path("auth/", include("channels_token_auth.metrics.urls"))]
"""
# A stock consumer ends with the channel layer, before a sweep can find its token revoked.
CONSUMERS = """
HelloConsumer.channel_layer_alias = None
"""
SERVER = ["granian", "--interface", "asgi", "--port", "{port}", "mysite.asgi:application"]
DEADLINE = 600.0  # it ends what hangs only


def eventually(condition: Callable[[], object]) -> None:
    """Return once it is true. Raises AssertionError if it never is."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


@dataclass(slots=True, kw_only=True)
class Incident:
    """The nodes by address, what they depend on, and who watches them."""

    project: Project
    nodes: list[str]
    redis: Redis
    prometheus: Prometheus
    sockets: dict[str, list[ClientConnection]] = field(default_factory=dict)

    def open(self, name: str, stack: ExitStack) -> None:
        """Log a new user in on each node."""
        arguments = ("--noinput", f"--username={name}", f"--email={name}@example.com")
        commands = (["createsuperuser", *arguments], ["drf_create_token", name])
        token = self.project.manage_all(*commands, DJANGO_SUPERUSER_PASSWORD="p").split()[-4]
        self.sockets[name] = [stack.enter_context(_connect(node, token)) for node in self.nodes]

    def revoke(self, name: str) -> None:
        """Revoke the user's tokens, in a process that has no sockets."""
        code = (
            "from django.contrib.auth.models import User; from channels_token_auth import"
            f" revoke_user; revoke_user(User.objects.get(username='{name}'))"
        )
        self.project.manage("shell", "-c", code)

    def has_ended(self, name: str) -> bool:
        """Return whether all sockets of the user were closed with 4410."""
        return all(each.close_code == 4410 for each in self.sockets[name])

    def flood(self) -> None:
        """Present some bad tokens to each node, at once: the alert is about how many a second.

        This client costs little, so that a busy machine sends enough of them.
        """
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(_present_a_bad_token, self.nodes * 20))


def _present_a_bad_token(node: str) -> None:
    port = int(node.rpartition(":")[2])
    headers = [f"Authorization: Token {'0' * 40}"]
    assert isinstance(handshake(port, "/hello/", headers, timeout=DEADLINE), Refusal)


def _connect(node: str, token: str) -> ClientConnection:
    headers = {"Authorization": f"Token {token}"}
    return connect(f"ws://{node}/hello/", additional_headers=headers, open_timeout=DEADLINE)


@contextlib.contextmanager
def incident(folder: Path) -> Iterator[Incident]:
    """Start it all; end it with the block."""
    with ExitStack() as stack:
        project, server = Project(folder), stack.enter_context(redis())
        project.write(section("README.md", '## Five steps to "hello ada"'))
        settings = SETTINGS.format(url=server.url)
        added = {"settings.py": settings, "urls.py": URLS, "consumers.py": CONSUMERS}
        for name, text in added.items():
            with (folder / "mysite" / name).open("a") as file:
                file.write(text)
        project.manage("migrate")
        nodes = [stack.enter_context(project.serve(*SERVER)) for _ in range(2)]
        watcher = stack.enter_context(prometheus(nodes))
        yield Incident(project=project, nodes=nodes, redis=server, prometheus=watcher)
