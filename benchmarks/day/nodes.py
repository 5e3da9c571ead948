"""The site of the day: four nodes, Redis, PostgreSQL, and a process that calls the library."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.databases import ROOT, Database, database
from benchmarks.server import Server, serving
from tests.services import Redis, redis

from .ledger import Outage, Place
from .plan import Plan

__all__ = ["Node", "Site"]

KINDS = ("granian", "uvicorn")
"""Two nodes of each: the first two serve all day, the others are killed and drained in turn."""

DRAIN_DEADLINE = 60.0
DAY = Contestant(name="day", application="day")


@dataclass(slots=True, kw_only=True, eq=False)
class Node(Place):
    """A node of the day. `clients`: how many are connected or connecting to it."""

    server: Server
    kind: str
    process_stack: ExitStack
    clients: int = 0
    idle: dict[str, Any] = field(default_factory=dict)
    """Its state before the first client."""

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def cluster_name(self) -> str:
        """Return its name among the nodes: the server may serve in a process of its own."""
        return f"{socket.gethostname()}:{self.server.state()['pid']}"


class Site:
    """All processes. One thread starts, stops and awaits them, and outlives them: the system ends a
    process together with the thread that started it.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nodes: list[Node] = []
        self.outages: list[Outage] = []
        self._thread = ThreadPoolExecutor(1)
        self._stack = ExitStack()
        self._redis: Redis | None = None
        self._filled: Database | None = None
        self._caller: subprocess.Popen[str] | None = None

    async def start(self) -> None:
        await self.in_thread(self._start)

    async def stop(self) -> None:
        await self.in_thread(self._stop)
        self._thread.shutdown()

    async def in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def ask(self, what: str, argument: str | int = "") -> str:
        """Have the site's other process call the library. Raises RuntimeError if that fails.

        Call it from one thread at a time, and not from the thread that starts the processes.
        """
        print(json.dumps([what, argument]), file=self._caller.stdin, flush=True)
        answer = json.loads(self._caller.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    # -- Mishaps

    async def kill(self, number: int) -> None:
        """Kill a node, and start another in its place."""
        node = self.nodes[number]
        node.leaving_at = time.time()
        await self.in_thread(self._kill, node)
        self.nodes[number] = await self.in_thread(self._launch, node.kind)

    async def drain(self, number: int) -> None:
        """Empty a node as a deploy script does, stop it, and start another in its place."""
        node = self.nodes[number]
        node.draining_at = time.time()
        await self.in_thread(self._drain, node)
        node.leaving_at = time.time()
        await self.in_thread(node.process_stack.close)
        self.nodes[number] = await self.in_thread(self._launch, node.kind)

    async def interrupt(self, name: str) -> None:
        """Stop Redis or PostgreSQL, and start it again."""
        server = self._redis if name == "redis" else self._filled.server
        outage = Outage(name=name, began_at=time.time())
        self.outages.append(outage)
        await self.in_thread(server.stop)
        await asyncio.sleep(self.plan.outage)
        await self.in_thread(server.start)
        outage.ended_at = time.time()

    # -- In the thread

    def _start(self) -> None:
        enter = self._stack.enter_context
        self._redis, self._filled = enter(redis()), enter(database("postgresql"))
        for kind in (*KINDS, *KINDS):
            self.nodes.append(self._launch(kind))
        self._caller = enter(
            subprocess.Popen(
                self._command("benchmarks.project.day_calls"),
                cwd=ROOT,
                env=os.environ | self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it logs each outage
                text=True,
            )
        )
        self._stack.callback(self._caller.kill)

    def _stop(self) -> None:
        for node in self.nodes:
            node.process_stack.close()
        self._stack.close()

    def _launch(self, kind: str) -> Node:
        stack = ExitStack()
        server = stack.enter_context(serving(kind, DAY, self._filled, self._environ))
        name = f"{kind} {server.port}"
        return Node(name=name, kind=kind, server=server, process_stack=stack)

    def _kill(self, node: Node) -> None:
        os.killpg(node.server.process.pid, signal.SIGKILL)
        node.process_stack.close()

    def _drain(self, node: Node) -> None:
        arguments = ["token_drain", f"--node={node.cluster_name}", f"--over={self.plan.window}"]
        subprocess.run(
            [*self._command("django"), *arguments],
            cwd=ROOT,
            env=os.environ | self._environ,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=DRAIN_DEADLINE,
        )

    def _command(self, module: str) -> list[str]:
        return ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", module]

    @property
    def _environ(self) -> dict[str, str]:
        plan = self.plan
        layer = {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [self._redis.url], "group_expiry": 300},
        }
        return self._filled.environ | {
            "BENCH_CHANNEL_LAYER": json.dumps(layer),
            "BENCH_SWEEP_INTERVAL": str(plan.sweep_interval),
            "BENCH_EXPIRY_WARNING": str(plan.lifetime / 3),
            "BENCH_DAY_REDIS": self._redis.url,
            # Each HTTP request of Django runs in a thread of its own, which would leave a
            # connection.
            "BENCH_CONN_MAX_AGE": "0",
        }
