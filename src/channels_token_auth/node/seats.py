"""Enforce the limits on the sockets of a user and of a token over all nodes: the part of one node.

Every node publishes which sockets it opened and closed, publishes all open ones again at each
sweep, and closes its own sockets that are over the limit: see `core.counting.seats`. Only sockets
of routes with a limit are published. Changes within 20 ms are published in one message, after the
client was accepted, and no handshake waits for it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ..clock import clock
from ..cluster import layer
from ..cluster.local_nodes import deliver
from ..cluster.message import Message
from ..core.counting.bucket import MICROSECONDS
from ..core.counting.seats import RETRY_AFTER, Seat, SeatTable
from ..core.errors import TokenAuthError
from ..core.identity import Identity, UserKey
from ..core.limits import ConnectionLimits, Limit, LimitPolicy
from ..limits.exceeded import exceeded
from ..tasks import spawn
from .member import Member

__all__ = ["BATCH_SECONDS", "Seats"]

BATCH_SECONDS = 0.02
"""Seconds in which changes are collected before they are published in one message."""

MAX_ROWS = 500
"""Sockets in one message at most: some layers limit its size."""


MAX_KEPT = 10_000
"""Closed sockets that are kept at most while the channel layer is unavailable."""


class Seats:
    """The seats of one node. `interval`: seconds between two sweeps."""

    def __init__(self, node: str, *, interval: float, is_alone: bool) -> None:
        self._node = node
        self._is_alone = is_alone
        # A node that was killed publishes nothing: after two intervals its seats stop counting.
        self._table = SeatTable(node, lapse=2 * interval)
        self._members: dict[str, Member] = {}
        self._announced: set[str] = set()
        self._opened: dict[str, None] = {}
        self._closed: dict[str, None] = {}
        self._sender: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._table)

    # -- Its own sockets

    def check(self, member: Member, identity: Identity, user: UserKey) -> None:
        """Raise TokenAuthError if the user or the token has no room for one more.

        `user`: the key of the identity, which the caller has built already.

        With the policy `close_oldest` there is always room. Called before the admission.
        """
        limits = member.route.limits.connections
        if limits.user is None and limits.token is None:
            return
        if 0 not in (limits.user, limits.token):
            # A limit of 0 has no older socket to close in place of this one: it refuses.
            if limits.policy is LimitPolicy.CLOSE_OLDEST:
                return
            # First, since it needs no seat, which is built once: by `take`.
            if self._table.is_only(user, seat_id=member.connection_id):
                return
        known = self._table.get(member.connection_id)
        if known and known.user != user:
            return  # the lifecycle closes a socket whose fresh token is another user's
        if self._table.is_full(
            self._seat(member, identity, user, limits.policy), limits, clock.steady()
        ):
            raise _exceeded(limits)

    def take(self, member: Member, identity: Identity, user: UserKey) -> None:
        """Count a socket that was admitted, or has another token. It is not published yet."""
        limits = member.route.limits.connections
        if limits.user is None and limits.token is None:
            return
        seat_id = member.connection_id
        # `check` has found room for one, so an only one is within its limits.
        is_only = self._table.is_only(user, seat_id=seat_id)
        seat = self._seat(member, identity, user, limits.policy, is_only=is_only)
        self._table.put(seat, clock.steady())
        self._members[seat_id] = member
        if seat_id in self._announced:
            self._publish(opened=[seat_id])
        if not is_only:
            self._enforce([seat])

    def announce(self, member: Member) -> None:
        """Publish a socket that was accepted."""
        if self._is_alone or not self._members:  # no route of this node has a limit
            return
        seat_id = member.connection_id
        if seat_id in self._members and seat_id not in self._announced:
            self._announced.add(seat_id)
            self._publish(opened=[seat_id])

    def release(self, member: Member) -> None:
        """Stop counting a socket that has closed. Further calls do nothing."""
        if not self._members:
            return
        seat_id = member.connection_id
        if self._members.pop(seat_id, None) is None:
            return
        self._table.remove(seat_id)
        if seat_id in self._announced:
            self._announced.discard(seat_id)
            self._publish(closed=[seat_id])

    def repeat(self) -> None:
        """Publish all seats again, for new nodes and because messages may have been lost."""
        self._table.prune(clock.steady())
        self._publish(opened=self._announced)

    # -- Those of other nodes

    def handle(self, message: Message) -> None:
        """Store the changes that a node published, and enforce the limits."""
        node = str(message["node"])
        if node == self._node:
            return
        now = clock.steady()
        for seat_id in message["closed"]:
            self._table.remove(str(seat_id))
        seats = [_read(row, node) for row in message["opened"]]
        for seat in seats:
            self._table.put(seat, now)
        self._enforce(seats)

    # -- Private

    def _seat(
        self,
        member: Member,
        identity: Identity,
        user: UserKey,
        policy: LimitPolicy,
        *,
        is_only: bool = False,
    ) -> Seat:
        """Return the seat of a socket. `is_only`: its user has no other one."""
        seat_id, authentication = member.connection_id, identity.authentication
        token = (authentication.backend, authentication.token_id)
        now = int(clock.calendar() * MICROSECONDS)
        if seat_id not in self._members and is_only:  # as of nearly all users: nothing to look up
            return Seat(seat_id, self._node, user, token, now, now, policy)
        now, known = self._table.next_time(user, now), self._table.get(seat_id)
        if known is None:
            return Seat(seat_id, self._node, user, token, now, now, policy)
        # A reauthentication with the same token keeps its times, and so its place in the order.
        since = known.token_since if known.token == token else now
        return Seat(seat_id, self._node, user, token, known.admitted_at, since, policy)

    def _enforce(self, touched: Sequence[Seat]) -> None:
        """Close the sockets of this node that are over the limit."""
        for seat_id in self._table.excess(touched, self._limits_of, clock.steady()):
            member = self._members[seat_id]
            limits = _limits_of(member)
            assert limits  # noqa: S101 - only those that have one are in the table
            member.end(_exceeded(limits))

    def _limits_of(self, seat: Seat) -> ConnectionLimits | None:
        member = self._members.get(seat.id)
        return None if member is None else _limits_of(member)

    def _publish(self, *, opened: Iterable[str] = (), closed: Iterable[str] = ()) -> None:
        if self._is_alone:
            return
        self._opened.update(dict.fromkeys(opened))
        for seat_id in closed:
            self._opened.pop(seat_id, None)
            self._closed[seat_id] = None
        if self._sender is None and (self._opened or self._closed):
            self._sender = spawn(self._send())

    async def _send(self) -> None:
        try:
            while self._opened or self._closed:
                await asyncio.sleep(BATCH_SECONDS)
                message = self._next_message()
                deliver(message)
                # Await it, so that a layer that hangs gets one message at a time and not fifty a
                # second. `repeat` publishes open sockets again, but no closed ones: keep those.
                if not await layer.send(layer.GROUP, message):
                    self._keep(message["closed"])
                    return
        finally:
            self._sender = None

    def _keep(self, closed: Sequence[str]) -> None:
        """Publish closed sockets again, with the next change or repetition."""
        if len(self._closed) < MAX_KEPT:
            self._closed.update(dict.fromkeys(closed))

    def _next_message(self) -> Message:
        opened, closed = _pop(self._opened), _pop(self._closed)
        seats = (self._table.get(each) for each in opened)
        rows = [_row(seat) for seat in seats if seat]
        return {"kind": "seats", "node": self._node, "opened": rows, "closed": closed}


def _exceeded(limits: ConnectionLimits) -> TokenAuthError:
    value = f'{{"user": {limits.user}, "token": {limits.token}, "policy": "{limits.policy}"}}'
    return exceeded(Limit.CONNECTIONS, RETRY_AFTER[limits.policy], value)


def _limits_of(member: Member) -> ConnectionLimits | None:
    limits = member.route.limits.connections
    return limits if limits.is_set else None


def _pop(ids: dict[str, None]) -> list[str]:
    """Remove and return the first ids of a collection, as many as one message may have."""
    taken = list(islice(ids, MAX_ROWS))
    for each in taken:
        del ids[each]
    return taken


def _row(seat: Seat) -> list[Any]:
    user = (seat.user.kind, seat.user.key)
    return [seat.id, *user, *seat.token, seat.admitted_at, seat.token_since, seat.policy.value]


def _read(row: Sequence[Any], node: str) -> Seat:
    seat_id, kind, key, backend, token_id, admitted_at, token_since, policy = row
    return Seat(
        id=str(seat_id),
        node=node,
        user=UserKey(kind=str(kind), key=str(key)),
        token=(str(backend), str(token_id)),
        admitted_at=int(admitted_at),
        token_since=int(token_since),
        policy=LimitPolicy(policy),
    )
