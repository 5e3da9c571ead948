"""What is denied and said once the caller's transaction is committed, in as few messages as can be.

Inside a transaction it is gathered: a clean-up that deletes ten thousand tokens is one batch.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router, transaction

from ..cluster.pubsub import publish
from ..core.revocation import Revocation
from ..django_internals import commit_callbacks, savepoints
from ..observability.error_log import log_error
from ..observability.events import RevocationPublished, emit
from ..verification.denylist import CacheUnavailable

__all__ = ["UNDENIED", "Deny", "after_commit", "gathered", "site_database"]

PER_MESSAGE = 100
"""Revocations in one message: a channel layer bounds how many and how large they are."""

UNDENIED = "A revoked token could not be denied, because the cache failed: revoke it again."
Deny = Callable[[], None]


def after_commit(
    endings: Sequence[Revocation],
    denials: Sequence[Deny],
    *,
    using: str,
    is_told: bool = True,
    instead_of: Revocation | None = None,
) -> None:
    """Deny, then have all nodes close sockets: now, or when the transaction of `using` commits.

    `is_told`: as `token_revoked`, to a site's audit. `instead_of`: the endings make up for what
    this one covers and was noted before. Raises CacheUnavailable, when all else is done, and only
    where there is no transaction: what is committed stays.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        committed_at = time.time()
        failure = _deny_all(denials)
        _say(dict.fromkeys(endings, is_told and not failure), committed_at, instead_of)
        if failure:
            raise failure
        return
    batch = _open_batch(connection)
    if batch is None:
        batch = _Batch()
        transaction.on_commit(batch.carry_out, using=using, robust=True)
    batch.denials += denials
    batch.add_all(dict.fromkeys(endings, is_told), instead_of)


def site_database() -> str:
    """Return the alias of the database whose commit revocations wait for: that of the users."""
    return router.db_for_write(get_user_model())


@contextmanager
def gathered() -> Iterator[None]:
    """Of what is committed inside, say at its end what is not said twice."""
    batch = _Batch()
    token = _gathering.set(batch)
    try:
        yield
    finally:
        _gathering.reset(token)
        _say(batch.endings, batch.committed_at)


def _deny_all(denials: Iterable[Deny]) -> CacheUnavailable | None:
    """Deny each, and return what went wrong, if anything did."""
    failure = None
    for denial in denials:
        try:
            denial()
        except CacheUnavailable as error:
            failure = error
    return failure


def _open_batch(connection: Any) -> "_Batch | None":
    """That of the same savepoints, so that both are rolled back together or not at all."""
    current = savepoints(connection)
    for ids, call in commit_callbacks(connection):
        batch = getattr(call, "__self__", None)
        if isinstance(batch, _Batch) and ids == current:
            return batch
    return None


@dataclass(slots=True)
class _Batch:
    """Of one transaction. Of one that is rolled back, nothing is heard."""

    denials: list[Deny] = field(default_factory=list)
    endings: dict[Revocation, bool] = field(default_factory=dict)
    """Each, and whether it is told."""
    committed_at: float = math.inf
    """When the first of them was committed, in seconds since the epoch."""
    _of: dict[str | None, set[Revocation]] = field(default_factory=lambda: defaultdict(set))
    """Those of a user, and those of a token."""

    def add_all(self, endings: Mapping[Revocation, bool], instead_of: Revocation | None) -> None:
        """Note several, which make up for what `instead_of` covers."""
        if instead_of:
            self._remove_covered(instead_of)
        for ending, is_told in endings.items():
            self.add(ending, is_told=is_told)

    def add(self, ending: Revocation, *, is_told: bool) -> None:
        """Note one more. One of a whole user makes up for those of their tokens."""
        user_id, token_id = ending.target.user_id, ending.target.token_id
        is_told = is_told or self.endings.get(ending, False)
        for each in self._of[token_id or user_id] - {ending}:
            if each.covers(ending) and (self.endings[each] or not is_told):
                return
        if is_told:
            self._remove_covered(ending)
        self.endings[ending] = is_told
        for key in {user_id, token_id} - {None}:
            self._of[key].add(ending)

    def _remove_covered(self, ending: Revocation) -> None:
        near = self._of[ending.target.token_id or ending.target.user_id]
        for each in [each for each in near if each != ending and ending.covers(each)]:
            self.endings.pop(each)
            for key in {each.target.user_id, each.target.token_id} - {None}:
                self._of[key].discard(each)

    def carry_out(self) -> None:
        """It is committed. A method, since Django logs what fails by its `__qualname__`."""
        # Before the denials: a cache that answers late delays the closes, and the metric shows it.
        committed_at = time.time()
        failure = _deny_all(self.denials)
        if failure:
            log_error(UNDENIED, failure, brief=True)
        _say(self.endings, committed_at)


_gathering: ContextVar[_Batch | None] = ContextVar("_gathering", default=None)


def _say(
    endings: Mapping[Revocation, bool], committed_at: float, instead_of: Revocation | None = None
) -> None:
    """Publish them. Each node measures from `committed_at`: see the event `SocketsClosed`."""
    batch = _gathering.get()
    if batch is not None:
        batch.committed_at = min(batch.committed_at, committed_at)
        batch.add_all(endings, instead_of)
        return
    said = list(endings)
    starts = range(0, len(said), PER_MESSAGE)
    groups = [said[start : start + PER_MESSAGE] for start in starts]
    publish(
        *(
            {
                "kind": "end",
                "endings": [each.to_message() for each in group],
                "published_at": committed_at,
            }
            for group in groups
        )
    )
    for ending, is_told in endings.items():
        emit(RevocationPublished(revocation=ending, is_revocation=is_told))
