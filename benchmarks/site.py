"""A contestant's site: nodes that share a channel layer, and a process that has tokens end."""

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
    """`ask`: has something ended, in another process than the nodes' where that reaches them.
    `redis`: behind its layer, where that has one.
    """

    nodes: Sequence[Server]
    ask: Callable[[str], dict[str, Any]]
    redis: Redis | None

    def end(self, what: str, numbers: Sequence[int]) -> dict[str, Any]:
        """See `project/ending.py`."""
        return self.ask(json.dumps([what, list(numbers)]))


@contextmanager
def site(
    kind: str, contestant: Contestant, layer: str, *, nodes: int, filled: Database
) -> Iterator[Site]:
    """Its nodes all run on one CPU. It has a Redis of its own: as many connections as the kick
    needs with some layers would leave others none.
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
    """A process of Django's that answers a line with a line."""
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
