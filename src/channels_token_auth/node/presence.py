"""Know the other nodes: each announces itself, and notes the announcements that it receives.

A node rejoins the group and announces itself before every sweep, because a channel layer may lose
a membership without a word. The list of peers tells who has to answer a question to all nodes.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..cluster import layer
from ..cluster.pubsub import publish
from ..cluster.subscription import Subscription
from ..verification.node_denials import check_epoch, known_epoch

__all__ = ["Presence"]

ANSWER_WITHIN = 0.5
"""Seconds within which a new node receives the announcements of the others."""


class Presence:
    """The presence of one node.

    `interval`: seconds between its announcements. `news`: more to announce each time.
    """

    def __init__(
        self,
        name: str,
        subscription: Subscription,
        *,
        interval: float,
        news: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._name = name
        self._subscription = subscription
        self._interval = interval
        self._news = news
        self._seen: dict[str, float] = {}
        self._answer: asyncio.TimerHandle | None = None

    async def renew(self) -> None:
        """Rejoin the group and announce this node. Never raises, never blocks for long."""
        try:
            await self._subscription.join()
        except Exception as error:  # noqa: BLE001 - whatever a layer raises
            layer.note_failure(error)
        check_epoch()
        self._announce()

    def note(self, name: str) -> bool:
        """Note that a node announced itself, and return whether it is another one that is new.

        A new one gets an answer, so that it learns of this node too.
        """
        is_new = name not in self._seen
        self._seen[name] = time.monotonic()
        if is_new and name != self._name and self._answer is None:
            # After a random delay, so that not all nodes answer together.
            pause = random.uniform(0, ANSWER_WITHIN)  # noqa: S311 - no secret
            self._answer = asyncio.get_running_loop().call_later(pause, self._announce)
        return is_new and name != self._name

    def peers(self) -> Sequence[str]:
        """Return the nodes that announced themselves lately. One that was killed drops out."""
        since = time.monotonic() - 3 * self._interval
        self._seen = {name: at for name, at in self._seen.items() if at > since}
        return sorted(self._seen)

    def _announce(self) -> None:
        self._answer = None
        own = {"kind": "present", "node": self._name, "epoch": known_epoch()}
        publish({**own, **self._news()})
