"""List the open sockets of all nodes: ask each node, and store nothing."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.utils.functional import LazyObject

from ..backends.sources.users import named_user
from ..core.identity import UserKey
from ..core.labels import read_labels
from ..core.revocation.criteria import ANY
from ..core.token_names import token_name
from ..tasks import synchronous
from ..tenants.site import in_other_threads, sockets_here
from . import layer
from .local_nodes import node_count
from .message import Message, is_meant
from .requests import asking

__all__ = ["Connections", "LiveConnection", "aconnections", "blocking", "connections"]

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds in which nodes have to answer."""

SETTLED = 0.2
"""Seconds to wait for further answers after all known nodes have answered. The first answer may
come from a node that was suspended for a while, and has no other nodes in its list yet."""


LIMIT = 100
MAX_LIMIT = 1000
"""Sockets in one answer at most: an answer is one message, and layers limit its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConnection:
    """An open socket of some node. What belongs to a user or a token is None where it has none.

    `user_kind` and `user_id` identify a user; `backend`, `issuer` and `token_id` a token. `labels`
    are those of the token, by which `revoke` and `connections` select.
    `address`, `origin` and `path` are what the client and its server sent: not to be trusted.
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
    user_kind: str | None = None
    issuer: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The combined answers of all nodes.

    `total`: how many sockets match, of which `connections` are the newest. `nodes`: those that
    answered.
    `missing`: nodes that announced themselves lately and did not answer. `draining`: nodes that
    close their sockets. `unswept`: nodes whose last sweep could not check every token.
    """

    connections: Sequence[LiveConnection]
    total: int
    nodes: Sequence[str]
    missing: Sequence[str]
    draining: Sequence[str]
    unswept: Sequence[str]

    @property
    def is_complete(self) -> bool:
        """Return whether every known node answered, and at least one did.

        If this is False, `total` is a lower bound: a node without an answer may have sockets.
        """
        return bool(self.nodes) and not self.missing


async def aconnections(
    *,
    user: Any = ANY,
    token_id: str | None = None,
    backend: str | None = None,
    issuer: str | None = None,
    label: Any = None,
    connection_id: str | None = None,
    address: str | None = None,
    node: str | None = None,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - the nodes', not ours
) -> Connections:
    """Return the sockets as the public function does, with names that this process may not know.

    None selects all, except in `user`.
    """
    if not 0 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit is {limit}: it must be from 0 to {MAX_LIMIT}.")
    target = sockets_here(
        None if user is ANY else await _named(user),
        # By its name, because a text that an operator gives as an id may be a token.
        token_id=None if token_id is None else token_name(token_id),
        backend=backend,
        issuer=issuer,
        labels=frozenset() if label is None else read_labels(label),
        connection_id=connection_id,
        address=address,
    )
    message = {"kind": "list", "target": target.to_message(), "limit": limit, "node": node}
    return _summary(await gather(message, node, timeout), node=node, limit=limit)


async def _named(user: Any) -> UserKey:
    is_lazy = isinstance(user, LazyObject)
    return await sync_to_async(named_user)(user) if is_lazy else named_user(user)


def _summary(answers: dict[str, Any], *, node: str | None, limit: int) -> Connections:
    rows = [row for answer in answers.values() for row in answer["connections"]]
    # Each node sent its newest: the newest of all are among them.
    rows.sort(key=lambda row: row["opened_at"], reverse=True)
    return Connections(
        connections=[_live(row) for row in rows[:limit]],
        total=sum(answer["total"] for answer in answers.values()),
        nodes=sorted(answers),
        missing=sorted(_expected(answers, node) - set(answers)),
        draining=sorted(name for name, answer in answers.items() if answer["is_draining"]),
        unswept=sorted(name for name, answer in answers.items() if answer["failed_sweeps"]),
    )


def blocking(
    function: Callable[P, Coroutine[Any, Any, T]], work: Callable[..., T] | None = None
) -> Callable[P, T]:
    """Return the form of a function for code outside an event loop, with the same signature.

    `work`: does it there; by default it waits for the function.
    """

    @functools.wraps(function)
    def call(*args: P.args, **which: P.kwargs) -> T:
        # `request.user` queries the database when it is first used, which no event loop may do.
        if "user" in which and isinstance(which["user"], LazyObject):
            which["user"] = named_user(which["user"])
        # The coroutine runs in an event loop, where the caller's tenant would not be found.
        with in_other_threads():
            return (work or synchronous(function))(*args, **which)

    # `wraps` has copied the name, too. The signature and the docstring are right for both.
    call.__name__ = call.__qualname__ = function.__name__.removeprefix("a")
    return call


connections = blocking(aconnections)


async def gather(message: Message, node: str | None, seconds: float) -> dict[str, Any]:
    """Return the last answer of each node, by the name of the node."""
    answers: dict[str, Any] = {}
    are_all_in = False
    is_alone, own = layer.is_alone(), node_count()
    async with asking(message) as queue:
        try:
            async with asyncio.timeout(seconds):
                # Without a layer, only the nodes of this process can answer. Else other processes
                # may have nodes that no answer has listed yet.
                while not (is_alone and len(answers) >= own):
                    async with asyncio.timeout(SETTLED if are_all_in else None):
                        answer = await queue.get()
                    # The question is sent twice, so a node may answer twice: keep the later answer.
                    answers[answer["node"]] = answer
                    # An answer lists the nodes that its sender knows, and may add new ones.
                    are_all_in = _expected(answers, node) <= answers.keys()
        # All known nodes are in, or the time is over: the caller lists the others as missing.
        except TimeoutError:
            # While something blocks the event loop, the time passes and nothing is read: answers
            # that arrived meanwhile count.
            while not queue.empty():
                answer = queue.get_nowait()
                answers[answer["node"]] = answer
    return answers


def _expected(answers: dict[str, Any], node: str | None) -> set[str]:
    """Return the nodes that have to answer: all that the answers so far list as peers."""
    known = {name for answer in answers.values() for name in answer["peers"]}
    return {name for name in known if is_meant(name, node)}


def _live(row: Message) -> LiveConnection:
    # A node of the previous release does not send the newer fields, which have defaults.
    known = {each.name: row[each.name] for each in fields(LiveConnection) if each.name in row}
    times = {name: _moment(known[name]) for name in ("opened_at", "expires_at")}
    return LiveConnection(**{**known, **times})


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
