"""The sockets of one event loop, and the handling of each message to all nodes.

If the channel layer reaches other processes, a node starts one task with its first socket. The task
receives the node's messages until the loop ends. There is never a task, a group or a key per
socket.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import conf
from ..cluster import layer
from ..cluster.local_nodes import (
    LocalNode,
    add_node,
    process_began_at,
    process_id,
)
from ..cluster.message import Message, Reply, is_meant
from ..cluster.names import choose_name
from ..cluster.overview import MAX_USERS
from ..cluster.subscription import Subscription
from ..core.counting.traffic import TrafficTable
from ..core.revocation import Revocation, Target
from ..limits.newcomers import Newcomers
from ..limits.shared_traffic import share_traffic
from ..limits.waiting import WaitingSockets
from ..loop_local import LoopLocal
from ..observability import recent
from ..observability.error_log import log_error
from ..observability.events import MessageIgnored, emit
from ..tasks import spawn
from ..verification.authenticator import forget_all
from ..verification.lanes import lanes
from ..verification.node_denials import deny_first_verified, learn_epoch
from .bulk_close import BulkClose
from .deadlines import deadlines
from .drain_requests import DrainRequests
from .drain_state import DrainState
from .member import Member
from .presence import Presence
from .recent_revocations import RevocationLog
from .registry import Registry, Sockets
from .renewals import renew_all
from .seats import Seats
from .sweep import Sweep

__all__ = ["Node", "here", "local_nodes"]


class Node:
    """The node of one event loop. Only that loop calls it.

    `joins`: announce it to other nodes, if a channel layer reaches them. A process that ends soon
    does not join, since the others would report it as missing for a while.
    """

    def __init__(self, configuration: conf.Configuration, *, joins: bool = True) -> None:
        self.name = choose_name()
        self.loop = asyncio.get_running_loop()  # a system call each time, before Python 3.12
        self.registry = Registry()
        """The sockets that were admitted."""
        self.sockets = Sockets(self.registry)
        """All sockets, from their opening handshake until their application has ended."""
        self.newcomers = Newcomers(lanes.backlog)
        self.deadlines = deadlines()
        self.waiting = WaitingSockets()
        """The sockets that are not authenticated yet."""
        self.recent_revocations = RevocationLog()
        self.traffic = TrafficTable(share_traffic)
        self.bulk_close = BulkClose()
        self.drain = DrainState(self.name, self.sockets, self.bulk_close)
        self._drains = DrainRequests(self.name)
        interval = configuration.sweep_interval
        self._subscription = Subscription(self.handle, self._recover)
        self._presence = Presence(
            self.name,
            self._subscription,
            interval=interval,
            news=lambda: {"drains": self._drains.announce()},
        )
        is_alone = not joins or layer.is_alone()
        self.seats = Seats(self.name, interval=interval, is_alone=is_alone)
        self.sweep = Sweep(
            self.name,
            self.registry,
            self.bulk_close,
            before=None if is_alone else self._renew,
            interval=interval,
            grace=configuration.sweep_grace,
        )
        self._start(is_alone=is_alone)

    def _start(self, *, is_alone: bool) -> None:
        _nodes.set(self)
        # Known in this process before the first await, so that no message to it gets lost.
        add_node(LocalNode(handle=self.handle, channel=lambda: self.channel))
        if not is_alone:
            spawn(self._subscription.run())
            self.sweep.hurry()

    @property
    def nodes_seen(self) -> int:
        """The number of nodes that announced themselves recently, this one included."""
        return max(1, len(self._presence.peers()))

    @property
    def channel(self) -> str | None:
        """Its channel in the channel layer; None before it has one."""
        return self._subscription.channel

    def let_in(self, member: Member) -> None:
        """Register a socket that was admitted, or has another token."""
        self.sockets.let_in(member)
        self.sweep.arm()

    def leave(self, member: Member) -> None:
        """Forget a socket whose application has ended."""
        self.sockets.discard(member)
        if member.route.limits_sockets:
            self.seats.release(member)

    # -- Messages to all nodes

    def handle(self, message: Message, reply: Reply | None = None) -> None:
        """Act on a message. Log one that this version cannot read. Raises nothing."""
        try:
            self._act(message, reply)
        except Exception as error:  # noqa: BLE001 - go on with the next message
            emit(MessageIgnored(reason="malformed"))
            log_error("Ignored a message of another node, which this version cannot read.", error)

    def _act(self, message: Message, reply: Reply | None) -> None:
        learn_epoch(message.get("epoch"))
        match message["kind"]:
            case "revoke":
                published_at = message.get("published_at")
                revocations = list(_readable(message["revocations"]))
                self.revoke(revocations, None if published_at is None else float(published_at))
            case "announce":
                if self._presence.note(str(message["node"])):
                    self.seats.repeat()
                self._drains.learn(message.get("drains", ()))
                self._join_drain()
            case "seats":
                self.seats.handle(message)
            case "list" if reply and is_meant(self.name, message["node"]):
                target = Target.from_message(message["target"])
                spawn(reply(self._answer(target, int(message["limit"]))))
            case "count" if reply:
                spawn(reply(self._count()))
            case "drain":
                is_new = self._drains.note(message)  # for others too: announcements repeat it
                question = message.get("question")
                # A known one that is not being carried out was undone, or replaced by another; or
                # it emptied the process that this one replaces.
                is_current = is_new or question == self.drain.question
                if is_current and is_meant(self.name, message["node"]):
                    over = None if message["over"] is None else float(message["over"])
                    self.drain.request(over, reply, question=question)

    def _join_drain(self) -> None:
        """Start or undo the drain whose request was sent before this node existed."""
        missed = self._drains.missed(process_began_at())
        if missed and missed.question != self.drain.question:
            self.drain.request(missed.over, None, question=missed.question)

    def revoke(self, revocations: Sequence[Revocation], published_at: float | None = None) -> None:
        """Close the sockets of these revocations, and admit none that is being verified.

        `published_at`: when they were published, on the publisher's clock, since the epoch.
        """
        # First: a handshake that begins now must neither find a cached verdict nor join a
        # verification that may have read the token before its revocation.
        forget_all()
        deny_first_verified([each.target for each in revocations])
        for revocation in revocations:
            # For verifications that are running: they compare with these before the admission.
            self.recent_revocations.add(revocation)
            found, is_meant = self.registry.find(revocation.target), revocation.target.matches
            if revocation.deadline is not None:
                renew_all(found, revocation.deadline, only_if=is_meant)
                continue
            self.bulk_close.close(
                found,
                revocation.code,
                cause="revocation",
                since=published_at,
                only_if=is_meant,
            )

    def _answer(self, target: Target, limit: int) -> Mapping[str, Any]:
        found = self.registry.find(target)
        return {
            "kind": "answer",
            "node": self.name,
            "total": len(found),
            "connections": [each.describe() for each in found[:limit]],
            "peers": self._presence.peers(),
            "is_draining": self.drain.is_on,
            "failed_sweeps": self.sweep.failures,
        }

    def _count(self) -> Mapping[str, Any]:
        return {
            "kind": "answer",
            "node": self.name,
            # Not "process": the envelope uses that key.
            "process_id": process_id(),
            "sockets": len(self.registry),
            "users": self.registry.busiest_users(MAX_USERS),
            "closes": recent.closes.counts(),
            "limits": recent.limits.counts(),
            "peers": self._presence.peers(),
        }

    async def _renew(self) -> None:
        """Announce this node and its seats again before each sweep, since messages may be lost."""
        await self._presence.renew()
        self.seats.repeat()

    def _recover(self) -> None:
        """Sweep, and announce the seats again, because messages were lost during an outage."""
        self.sweep.hurry()
        self.seats.repeat()  # a sweep that is running did it before the recovery


def _readable(entries: Iterable[Message]) -> Iterator[Revocation]:
    """Yield the revocations of a message that this version can read, and log the others."""
    # One that needs a newer field must not hide up to a hundred others of the same message.
    for each in entries:
        try:
            yield Revocation.from_message(each)
        except Exception as error:  # noqa: BLE001 - whatever a newer version has sent
            emit(MessageIgnored(reason="malformed"))
            log_error("Ignored a revocation that this version cannot read.", error)


_nodes: LoopLocal[Node] = LoopLocal()


def local_nodes() -> list[Node]:
    """Return the nodes of this process: one for each event loop that has had a socket."""
    return [node for _, node in _nodes]


def here() -> Node:
    """Return the node of the running event loop, which is started with its first socket."""
    return _nodes.get() or Node(conf.configuration())
