"""The sockets of one event loop, and what is said to all nodes: it acts on each message.

Where a channel layer reaches other processes, it starts one task with its first socket, which ends
with the loop and listens to them. Never a task, a group or a key for a socket.
"""

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .. import conf
from ..cluster import pubsub
from ..cluster.subscription import Subscription
from ..core.revocation import Revocation, Target
from ..observability.audit import Audit
from ..tasks import spawn
from ..verification.authenticator import forget_all
from .bulk_close import BulkClose
from .drain_state import DrainState
from .recent_revocations import RevocationLog
from .registry import Registry
from .sweep import Sweep

__all__ = ["Node", "here"]

GREETING_PAUSE = 0.5
"""Seconds within which a node that is new hears of the others."""

logger = logging.getLogger("channels_token_auth")


class Node:
    """One event loop's. Its methods are called in that loop."""

    def __init__(self, configuration: conf.Configuration) -> None:
        self.name = _name()
        self.sockets: set[Any] = set()
        """All, from their opening handshake until their application is done."""
        self.registry: Registry[Any] = Registry()
        """Those that were let in."""
        self.recent_revocations = RevocationLog()
        self.bulk_close = BulkClose()
        self.audit = Audit()
        self.drain = DrainState(self.name, self.sockets)
        self._peers: dict[str, float] = {}
        self._greeting: asyncio.TimerHandle | None = None
        self._interval = configuration.sweep_interval
        is_alone = pubsub.remote_layer() is None
        self._sweep = Sweep(
            self.registry,
            None if is_alone else self._present,
            interval=configuration.sweep_interval,
            grace=configuration.sweep_grace,
        )
        self._subscription = Subscription(self.hear, self._sweep.hurry)
        pubsub.add_listener(self)
        if not is_alone:
            spawn(self._subscription.run())
            self._sweep.hurry()

    @property
    def channel(self) -> str | None:
        """Where it listens in the channel layer; None before it does."""
        return self._subscription.channel

    def let_in(self, connection: Any) -> None:
        """A socket has a user by now, or another token."""
        self.registry.add(connection)
        self._sweep.arm()

    def leave(self, connection: Any) -> None:
        """A socket is done."""
        self.sockets.discard(connection)
        self.registry.discard(connection)

    # -- What is said to all nodes

    def hear(self, message: pubsub.Message, reply: pubsub.Reply | None = None) -> None:
        """Act on a message; one that makes no sense is logged."""
        try:
            self._act(message, reply)
        except (KeyError, TypeError, ValueError):
            logger.exception("A message on the channel layer makes no sense to this version.")

    def _act(self, message: pubsub.Message, reply: pubsub.Reply | None) -> None:
        match message["kind"]:
            case "end":
                self.end([Revocation.from_message(each) for each in message["endings"]])
            case "present":
                self._meet(str(message["node"]))
            case "ask" if reply and pubsub.is_meant(self.name, message["node"]):
                target = Target.from_message(message["target"])
                spawn(reply(self._answer(target, int(message["limit"]))))
            case "drain" if pubsub.is_meant(self.name, message["node"]):
                if message["over"] is None:
                    self.drain.take_back(reply)
                else:
                    self.drain.start(float(message["over"]), reply)

    def end(self, endings: Sequence[Revocation]) -> None:
        """Close the sockets that have to go, and have nobody slip in behind them."""
        forget_all()
        for ending in endings:
            self.recent_revocations.add(ending)
            self.bulk_close.close(self.registry.find(ending.target), ending)

    def _answer(self, target: Target, limit: int) -> Mapping[str, Any]:
        found = self.registry.find(target)
        return {
            "kind": "answer",
            "node": self.name,
            "total": len(found),
            "connections": [each.describe() for each in found[:limit]],
            "peers": self._present_peers(),
            "is_draining": self.drain.is_on,
            "failed_sweeps": self._sweep.failures,
        }

    async def _present(self) -> None:
        """Be heard of, and hear: at each sweep again, which no layer may fail or hold up."""
        with suppress(Exception):
            async with asyncio.timeout(pubsub.PUBLISH_TIMEOUT):
                await self._subscription.join()
        self._greet()

    def _greet(self) -> None:
        self._greeting = None
        pubsub.publish({"kind": "present", "node": self.name})

    def _meet(self, name: str) -> None:
        """One that is new has to hear of us as well: soon, and not of all nodes at once."""
        is_new = name not in self._peers
        self._peers[name] = time.monotonic()
        if is_new and name != self.name and self._greeting is None:
            pause = random.uniform(0, GREETING_PAUSE)  # noqa: S311 - no secret
            self._greeting = asyncio.get_running_loop().call_later(pause, self._greet)

    def _present_peers(self) -> list[str]:
        """Those that were heard of lately: one that was killed is none of them any more."""
        since = time.monotonic() - 3 * self._interval
        self._peers = {name: at for name, at in self._peers.items() if at > since}
        return sorted(self._peers)


def _name() -> str:
    """The machine and the process; a second event loop of it is told apart."""
    others = pubsub.listeners_here()
    return f"{socket.gethostname()}-{os.getpid()}" + (f"-{others + 1}" if others else "")


def here() -> Node:
    """The running event loop's, started with its first socket."""
    node: Node | None = pubsub.listener()
    return node or Node(conf.configuration())
