"""What is denied and said once the caller's transaction is committed, in as few messages as can be.

Inside a transaction it is gathered: a clean-up that deletes ten thousand tokens is one batch.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, transaction

from .. import signals
from ..core.targets import Ending
from ..verification.denylist import CacheUnavailable
from . import bus
from .audit import tell_now

__all__ = ["Deny", "after_commit"]

PER_MESSAGE = 100
"""Endings in one message: a channel layer bounds how many and how large they are."""

logger = logging.getLogger("channels_token_auth")
Deny = Callable[[], None]


def after_commit(endings: Sequence[Ending], denials: Sequence[Deny], *, using: str) -> None:
    """Deny, then have all nodes close sockets: now, or when the transaction of `using` commits.

    Raises CacheUnavailable, and only where there is no transaction: what is committed stays.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        for denial in denials:
            denial()
        _say(endings)
        return
    batch = _open_batch(connection)
    if batch is None:
        batch = _Batch()
        transaction.on_commit(batch, using=using, robust=True)
    batch.denials += denials
    batch.endings |= dict.fromkeys(endings)


def _open_batch(connection: Any) -> "_Batch | None":
    """That of the same savepoints, so that both are rolled back together or not at all."""
    savepoints = set(connection.savepoint_ids)
    for ids, call, *_ in reversed(connection.run_on_commit):
        if isinstance(call, _Batch) and ids == savepoints:
            return call
    return None


@dataclass(slots=True)
class _Batch:
    """Called when its transaction is committed; of one that was rolled back, nothing is heard."""

    denials: list[Deny] = field(default_factory=list)
    endings: dict[Ending, None] = field(default_factory=dict)

    def __call__(self) -> None:
        for denial in self.denials:
            try:
                denial()
            except CacheUnavailable as error:
                logger.error("A token that has ended could not be denied: %r", error.__cause__)  # noqa: TRY400 - its trace says no more
        _say(list(self.endings))


def _say(endings: Sequence[Ending]) -> None:
    starts = range(0, len(endings), PER_MESSAGE)
    groups = [endings[start : start + PER_MESSAGE] for start in starts]
    bus.publish(
        *({"kind": "end", "endings": [each.to_message() for each in group]} for group in groups)
    )
    for ending in endings:
        target = ending.target
        told = {
            "user_id": target.user_id,
            "token_id": target.token_id,
            "except_token_id": target.except_token_id,
            "issued_before": target.issued_before,
            "code": ending.code.value,
        }
        tell_now(signals.token_revoked, told)
