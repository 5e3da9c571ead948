"""Count the sockets of all nodes by user and by node, with what happened in the last hour."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .connections import TIMEOUT, gather
from .message import Message

__all__ = ["MAX_USERS", "Overview", "UserCount", "aoverview"]

MAX_USERS = 20
"""Users in the answer of each node: those with the most sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCount:
    """How many sockets a user has. `user_id`: None for all anonymous sockets together."""

    user_kind: str | None
    user_id: str | None
    sockets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The combined answers of all nodes.

    `users`: those with the most sockets. A node lists its busiest users only, so that a few sockets
    of a user on a busy node may be missing in the count. `closes` and `limits`: how often each
    reason and each limit occurred in the last hour, the most frequent first.
    """

    nodes: Mapping[str, int]
    users: Sequence[UserCount]
    closes: Mapping[str, int]
    limits: Mapping[str, int]


async def aoverview(*, seconds: float = TIMEOUT) -> Overview:
    """Return the counts of all nodes that answer within so many seconds."""
    answers = (await gather({"kind": "count", "node": None}, None, seconds)).values()
    # Closes and limits are counted for each process, which may have several nodes.
    processes = {str(each["process_id"]): each for each in answers}.values()
    return Overview(
        nodes={each["node"]: int(each["sockets"]) for each in sorted(answers, key=_name)},
        users=_users(answers),
        closes=_sum(each["closes"] for each in processes),
        limits=_sum(each["limits"] for each in processes),
    )


def _name(answer: Message) -> str:
    return str(answer["node"])


def _users(answers: Iterable[Message]) -> list[UserCount]:
    total: Counter[tuple[str | None, str | None]] = Counter()
    for answer in answers:
        for kind, user_id, sockets in answer["users"]:
            # A user may have sockets on several nodes.
            total[kind, user_id] += int(sockets)
    return [
        UserCount(user_kind=kind, user_id=user_id, sockets=sockets)
        for (kind, user_id), sockets in total.most_common(MAX_USERS)
    ]


def _sum(counts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update({str(name): int(count) for name, count in each.items()})
    return dict(total.most_common())
