"""Describe what a lane works on, and the answer that sends it on to another lane."""

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
    """Work that has to be done next, in this lane."""

    lane: LaneId
    work: Work
    item: Any


@dataclass(slots=True, eq=False, kw_only=True)
class Errand:
    """Work on its way through the lanes, until there is an answer for the event loop that asked.

    `is_wanted` returns False once nobody waits for the answer. Any thread may call it.
    """

    loop: asyncio.AbstractEventLoop
    reply: Reply
    is_wanted: Callable[[], bool]
    step: Onward
    queued_at: float = 0.0


def run_here(steps: Sequence[Any]) -> list[Any]:
    """Do the work of all lanes in this thread, in batches too, and return the answers.

    `steps`: an `Onward` each, or an answer already.
    """
    answers = list(steps)
    while True:
        by_work: dict[Work, list[int]] = defaultdict(list)
        for i, answer in enumerate(answers):
            if isinstance(answer, Onward):
                by_work[answer.work].append(i)
        if not by_work:
            return answers
        for work, places in by_work.items():
            results = work([answers[i].item for i in places])
            for i, result in zip(places, results, strict=True):
                answers[i] = result
