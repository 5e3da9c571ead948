"""Announce this node, and store which other nodes have announced themselves.

A node rejoins the group and announces itself before every sweep, because a channel layer may lose
a membership without an error. The list of peers shows which nodes have to answer a question.
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
    """The announcements of one node.

    `interval`: seconds between them. `news`: returns further values for each announcement.
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
        """Store that a node announced itself. Return whether it is another node, and new.

        This node then announces itself again, so that the new one knows it too.
        """
        is_new = name not in self._seen
        self._seen[name] = time.monotonic()
        if is_new and name != self._name and self._answer is None:
            # After a random delay, so that not all nodes answer together.
            pause = random.uniform(0, ANSWER_WITHIN)  # noqa: S311 - no secret
            self._answer = asyncio.get_running_loop().call_later(pause, self._announce)
        return is_new and name != self._name

    def peers(self) -> Sequence[str]:
        """Return the nodes that announced themselves within three intervals."""
        # Three, since messages may be lost. A node that was killed is removed by this.
        since = time.monotonic() - 3 * self._interval
        self._seen = {name: at for name, at in self._seen.items() if at > since}
        return sorted(self._seen)

    def _announce(self) -> None:
        self._answer = None
        own = {"kind": "announce", "node": self._name, "epoch": known_epoch()}
        publish({**own, **self._news()})
