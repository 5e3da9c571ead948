"""The drains that were requested lately, for nodes that did not receive the request.

A server process has no node before its first socket or its first `ready/`, and a channel layer may
lose a message. So each announcement of a node repeats the drains that it knows. Times are sent as
ages, since the clocks of two machines differ.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..cluster.message import Message, is_meant

__all__ = ["DrainRequest", "DrainRequests"]

MAX_REQUESTS = 8
"""Requests that a node stores. Every announcement contains all of them."""

DELAY = 1.0
"""Seconds that an announcement may take. A process joins a drain only if it was started at least so
long before it: a later one may be the replacement of the drained process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """A drain, or the end of one (`over` is None). `node`: as in `token_drain --node`."""

    question: str
    node: str | None
    over: float | None
    at: float  # on this process's monotonic clock


class DrainRequests:
    """Drains that one node knows, its own or others. `name`: the name of the node."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[str, DrainRequest] = {}

    def note(self, message: Message, *, age: float = 0.0) -> bool:
        """Store a request. Return False if it is known: it keeps its time, since announcements
        repeat it.
        """
        question = message.get("question")
        if question is None or question in self._known:
            return question is None
        over = message["over"]
        self._known[str(question)] = DrainRequest(
            question=str(question),
            node=message["node"],
            over=None if over is None else float(over),
            at=time.monotonic() - age,
        )
        newest = sorted(self._known.values(), key=lambda each: each.at)[-MAX_REQUESTS:]
        self._known = {each.question: each for each in newest}
        return True

    def learn(self, announced: Iterable[Mapping[str, Any]]) -> None:
        """Store the requests that another node has announced."""
        for each in announced:
            # One that a newer version has changed must not hide the others.
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                # Not negative: a request of the future would be the newest, whatever comes later.
                self.note(each, age=max(0.0, float(each["age"])))

    def announce(self) -> list[Message]:
        """Return the known requests, for an announcement."""
        now = time.monotonic()
        return [
            {
                "question": each.question,
                "node": each.node,
                "over": each.over,
                "age": now - each.at,
            }
            for each in self._known.values()
        ]

    def missed(self, began_at: float) -> DrainRequest | None:
        """Return the newest request for this node, if its process existed already.

        `began_at`: the start of the process. A process that was started after the drain replaces
        one that was drained, and serves clients.
        """
        own = [each for each in self._known.values() if is_meant(self._name, each.node)]
        newest = max(own, key=lambda each: each.at, default=None)
        return newest if newest and began_at < newest.at - DELAY else None
