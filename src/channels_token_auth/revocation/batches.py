"""Gather what one transaction revokes, and find the tokens that it replaces.

Savepoints may be rolled back one by one, so each has a batch of its own. When the transaction is
committed, the batches that are left are merged and published.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..core.close_codes import CloseReason
from ..core.revocation import Revocation
from ..verification.denylist import CacheUnavailable

__all__ = ["Batch", "Deny", "Finish", "Issued", "SavepointBatch", "Transaction", "deny_all"]

Deny = Callable[[], None]


class Issued(NamedTuple):
    """A token that was issued, as a `Target` names one."""

    backend: str | None
    user_id: str | None
    token_id: str | None


@dataclass(slots=True)
class Batch:
    """Revocations that are published together."""

    endings: dict[Revocation, bool] = field(default_factory=dict)
    """Each, with True if it is a revocation to `token_revoked` and the audit."""
    denials: list[Deny] = field(default_factory=list)
    issued: set[Issued] = field(default_factory=set)
    """The tokens that were issued in the same transaction."""
    committed_at: float = math.inf
    """When the first of them was committed, in seconds since the epoch."""
    announced: set[Revocation] = field(default_factory=set)
    """Revocations of deleted rows, which may turn out to be replaced. Explicit calls never are."""
    _of: dict[str | None, set[Revocation]] = field(default_factory=lambda: defaultdict(set))
    """The revocations of each user, and of each token."""

    def add_all(
        self,
        endings: Mapping[Revocation, bool],
        instead_of: Revocation | None = None,
        *,
        is_announced: bool = False,
    ) -> None:
        """Note several, which make up for what `instead_of` covers."""
        if instead_of:
            self._remove_covered(instead_of)
        for ending, is_told in endings.items():
            self.add(ending, is_told=is_told, is_announced=is_announced)

    def add(self, ending: Revocation, *, is_told: bool, is_announced: bool = False) -> None:
        """Note one more. One of a whole user makes up for those of their tokens."""
        user_id, token_id = ending.target.user_id, ending.target.token_id
        is_told = is_told or self.endings.get(ending, False)
        for each in self._of[token_id or user_id] - {ending}:
            if each.covers(ending) and (self.endings[each] or not is_told):
                return
        if is_told:
            self._remove_covered(ending)
        if not is_announced:
            self.announced.discard(ending)
        elif ending not in self.endings:
            self.announced.add(ending)
        self.endings[ending] = is_told
        for key in {user_id, token_id} - {None}:
            self._of[key].add(ending)

    def merge(self, other: "Batch") -> None:
        """Note all of another batch."""
        self.issued |= other.issued
        self.committed_at = min(self.committed_at, other.committed_at)
        for ending, is_told in other.endings.items():
            self.add(ending, is_told=is_told, is_announced=ending in other.announced)

    def judged(self) -> dict[Revocation, bool]:
        """Return the revocations, with 4419 for the tokens that have a successor.

        If a transaction issues as many tokens of a user as it deletes, it replaces them. If it
        deletes more, nobody knows which one was replaced, and the others must not come back.
        """
        ended = {_named(each) for each in self.endings if each in self.announced}
        deleted = Counter(each[:2] for each in ended)
        issued = Counter(each[:2] for each in self.issued - ended)
        return {
            replace(each, code=CloseReason.TOKEN_EXPIRED)
            if each in self.announced and deleted[_named(each)[:2]] <= issued[_named(each)[:2]]
            else each: is_told
            for each, is_told in self.endings.items()
        }

    def _remove_covered(self, ending: Revocation) -> None:
        near = self._of[ending.target.token_id or ending.target.user_id]
        for each in [each for each in near if each != ending and ending.covers(each)]:
            self.endings.pop(each)
            self.announced.discard(each)
            for key in {each.target.user_id, each.target.token_id} - {None}:
                self._of[key].discard(each)


@dataclass(slots=True, kw_only=True)
class SavepointBatch(Batch):
    """The revocations that were gathered in one set of savepoints."""

    transaction: "Transaction"
    failure: CacheUnavailable | None = None
    is_committed: bool = False

    def carry_out(self) -> None:
        """Deny: the savepoints are committed. A method, so that it is found among callbacks."""
        # Before the denials: a cache that answers late delays the closes, and the metric shows it.
        self.committed_at = time.time()
        self.is_committed = True
        self.failure = deny_all(self.denials)


@dataclass(slots=True)
class Transaction:
    """The batches of one transaction. `publish` gets what is left of them after the commit.

    `block`: inside a `TestCase`, the savepoint that stands for a transaction.
    """

    publish: Callable[[Batch, CacheUnavailable | None], None]
    block: str | None = None
    is_over: bool = False
    finishes: int = 0
    _batches: list[SavepointBatch] = field(default_factory=list)

    def open_batch(self) -> SavepointBatch:
        """Return a new batch. After it, another finish must be registered as a callback."""
        batch = SavepointBatch(transaction=self)
        self._batches.append(batch)
        return batch

    def next_finish(self) -> "Finish":
        """Return one more finish: only the last one publishes, when all batches are carried out."""
        self.finishes += 1
        return Finish(self, self.finishes)

    def finish(self) -> None:
        """Publish what was committed."""
        self.is_over = True
        merged, failure = Batch(), None
        for batch in self._batches:
            if batch.is_committed:
                merged.merge(batch)
                failure = batch.failure or failure
        self.publish(merged, failure)


@dataclass(frozen=True, slots=True)
class Finish:
    """A callback that finishes a transaction, unless another one was registered after it."""

    transaction: Transaction
    number: int

    def run(self) -> None:
        """Finish the transaction, if this is the last one."""
        if self.number == self.transaction.finishes:
            self.transaction.finish()


def deny_all(denials: Iterable[Deny]) -> CacheUnavailable | None:
    """Deny each, and return what went wrong, if anything did."""
    failure = None
    for denial in denials:
        try:
            denial()
        except CacheUnavailable as error:
            failure = error
    return failure


def _named(ending: Revocation) -> Issued:
    return Issued(ending.target.backend, ending.target.user_id, ending.target.token_id)
