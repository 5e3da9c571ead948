"""Define the work of a lane, and the answer that continues it in another lane."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .lane_id import LaneId

__all__ = ["Errand", "Onward", "Reply", "Work", "run_here"]

Work = Callable[[Sequence[Any]], Sequence[Any]]
"""Answers a batch of items, in order. An answer may be an `Onward`."""

Reply = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Onward:
    """The next step of the work, and the lane in which it runs."""

    lane: LaneId
    work: Work
    item: Any


# Compared by identity: two callers may need the same work, and each gets an answer.
@dataclass(slots=True, eq=False, kw_only=True)
class Errand:
    """Work of one or more steps, whose answer is passed to `reply` in the caller's event loop.

    `is_wanted` returns False once no caller waits for the answer. Any thread may call it.
    """

    loop: asyncio.AbstractEventLoop
    reply: Reply
    is_wanted: Callable[[], bool]
    step: Onward
    queued_at: float = 0.0


def run_here(steps: Sequence[Any]) -> list[Any]:
    """Do the work of all lanes in this thread, in batches too, and return the answers.

    `steps`: for each item an `Onward`, or its answer.
    """
    answers = list(steps)
    while True:
        by_work: dict[Work, list[int]] = defaultdict(list)
        for i, answer in enumerate(answers):
            if isinstance(answer, Onward):
                by_work[answer.work].append(i)
        if not by_work:
            return answers
        # In batches, as lanes do: a backend that answers a batch in one query does so here, too.
        for work, places in by_work.items():
            results = work([answers[i].item for i in places])
            for i, result in zip(places, results, strict=True):
                answers[i] = result
