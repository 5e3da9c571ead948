"""Which sockets are open, on all nodes: they are asked, and nothing is stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import async_to_sync

from ..backends.sources.users import primary_key
from ..core.revocation import Target
from . import pubsub

__all__ = ["Connections", "LiveConnection", "aconnections", "connections"]

TIMEOUT = 2.0
"""Seconds that nodes get to answer."""

SETTLED = 0.2
"""Seconds for others, when all have answered who are known: a node that slept knows nobody."""

LIMIT = 100
MAX_LIMIT = 1000
"""Sockets named at most: an answer is one message, which a channel layer has to carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConnection:
    """A socket that is open somewhere. What is of a user or a token is None where it has none.

    `address`, `origin` and `path` are what the client and its server said.
    """

    connection_id: str
    node: str
    user_id: str | None
    token_id: str | None
    backend: str | None
    location: str | None
    address: str | None
    origin: str | None
    path: str
    opened_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the nodes answered.

    `total`: how many there are, of which `connections` are the first. `nodes`: who answered.
    `missing`: nodes that others heard of lately, and that did not. `draining`: those that send
    their sockets away. `unswept`: those whose last sweep could not ask every token's store.
    """

    connections: Sequence[LiveConnection]
    total: int
    nodes: Sequence[str]
    missing: Sequence[str]
    draining: Sequence[str]
    unswept: Sequence[str]


async def aconnections(
    *,
    user: Any = None,
    token_id: str | None = None,
    connection_id: str | None = None,
    address: str | None = None,
    node: str | None = None,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - the nodes', not ours
) -> Connections:
    """The open sockets for which all of it holds, at most `limit` of them from each node.

    `node`: a node's name, or a machine's, for all nodes of it. `timeout`: seconds in which nodes
    may answer; where all did, it returns soon after. Raises ValueError for a limit over 1,000.
    """
    if not 0 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit is {limit}, and 0 to {MAX_LIMIT} can be named.")
    target = Target(
        user_id=None if user is None else str(primary_key(user)),
        token_id=token_id,
        connection_id=connection_id,
        address=address,
    )
    message = {"kind": "ask", "target": target.to_message(), "limit": limit, "node": node}
    answers = await _gather(message, node, timeout)
    rows = [row for answer in answers.values() for row in answer["connections"]]
    rows.sort(key=lambda row: row["opened_at"], reverse=True)
    return Connections(
        connections=[_live(row) for row in rows[:limit]],
        total=sum(answer["total"] for answer in answers.values()),
        nodes=sorted(answers),
        missing=sorted(_expected(answers, node) - set(answers)),
        draining=sorted(name for name, answer in answers.items() if answer["is_draining"]),
        unswept=sorted(name for name, answer in answers.items() if answer["failed_sweeps"]),
    )


connections = async_to_sync(aconnections)
"""`aconnections` for synchronous code."""


async def _gather(message: pubsub.Message, node: str | None, seconds: float) -> dict[str, Any]:
    """The answer of each node, by its name."""
    answers: dict[str, Any] = {}
    are_all_in = False
    here = pubsub.listeners_here()
    is_alone = pubsub.remote_layer() is None
    async with pubsub.asking(message) as queue:
        try:
            async with asyncio.timeout(seconds):
                while not (is_alone and len(answers) >= here):
                    async with asyncio.timeout(SETTLED if are_all_in else None):
                        answer = await queue.get()
                    answers[answer["node"]] = answer
                    are_all_in = _expected(answers, node) <= answers.keys()
        except TimeoutError:
            pass
    return answers


def _expected(answers: dict[str, Any], node: str | None) -> set[str]:
    """Of whom an answer is due, as far as those who have answered know."""
    heard_of = {name for answer in answers.values() for name in answer["peers"]}
    return {name for name in heard_of if pubsub.is_meant(name, node)}


def _live(row: pubsub.Message) -> LiveConnection:
    known = {field.name: row[field.name] for field in fields(LiveConnection)}
    times = {name: _moment(known[name]) for name in ("opened_at", "expires_at")}
    return LiveConnection(**{**known, **times})


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
