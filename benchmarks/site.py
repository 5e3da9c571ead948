"""Start a contestant's site: nodes that share a channel layer, and a process that revokes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.services import Redis, redis

from .contestants import Contestant
from .databases import ROOT, Database
from .server import Server, serving

__all__ = ["LAYERS", "Site", "site"]

LAYERS = {
    "in memory": "channels.layers.InMemoryChannelLayer",
    "Redis": "channels_redis.core.RedisChannelLayer",
    "Redis Pub/Sub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}
ENVIRON = {"BENCH_SWEEP_INTERVAL": "3600"}


@dataclass(frozen=True, slots=True)
class Site:
    """A running site. `ask`: revokes, in a process that is not a node if the layer connects it with
    the nodes. `redis`: that of the layer; None for the layer in memory.
    """

    nodes: Sequence[Server]
    ask: Callable[[str], dict[str, Any]]
    redis: Redis | None

    def end(self, what: str, numbers: Sequence[int]) -> dict[str, Any]:
        """Revoke what `project/ending.py` calls `what`, and return the times of the calls."""
        return self.ask(json.dumps([what, list(numbers)]))


@contextmanager
def site(
    kind: str, contestant: Contestant, layer: str, *, nodes: int, filled: Database
) -> Iterator[Site]:
    """Start a site whose nodes all run on one CPU.

    It has a Redis of its own: with some layers, the kick needs so many connections that others
    would get none.
    """
    configuration: dict[str, Any] = {"BACKEND": LAYERS[layer]}
    with ExitStack() as stack:
        server = None if layer == "in memory" else stack.enter_context(redis())
        if server:
            configuration["CONFIG"] = {"hosts": [server.url]}
        environ = {**ENVIRON, "BENCH_CHANNEL_LAYER": json.dumps(configuration)}
        servers = [
            stack.enter_context(serving(kind, contestant, filled, environ)) for _ in range(nodes)
        ]
        if server:
            environ |= {"BENCH_APPLICATION": contestant.application, **contestant.environ}
            environ["BENCH_PORT"] = str(servers[0].port)
            ask = stack.enter_context(_caller(filled.environ | environ))
        else:
            ask = partial(servers[0].ask, "end")
        yield Site(servers, ask, server)


@contextmanager
def _caller(environ: dict[str, str]) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Start a process with Django that answers each line with a line."""
    with subprocess.Popen(
        ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", "benchmarks.project.ending"],
        cwd=ROOT,
        env=os.environ | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask(question: str) -> dict[str, Any]:
            print(question, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()
