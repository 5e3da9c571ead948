"""Keep what a transaction revokes until its commit, apart for each savepoint.

A savepoint may be rolled back alone: Django then drops the callbacks that were registered inside
it, and with them the revocations of that savepoint. The module introduction of `on_commit` shows
how the classes work together.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from operator import itemgetter

from django.db import connections, transaction

from ...core.revocation import Revocation
from ...observability.error_log import log_error
from .batches import Batch, Note

__all__ = ["UNDENIED", "Finish", "SavepointBatch", "Transaction", "deny_all", "in_savepoints"]

UNDENIED = "A revoked token could not be denied, because the cache failed: revoke it again."


@dataclass(slots=True, kw_only=True)
class SavepointBatch:
    """The revocations that were noted while the same savepoints were open."""

    transaction: "Transaction"
    notes: list[tuple[int, Note]] = field(default_factory=list)
    """Each with its number, which orders the notes of all batches by time."""
    committed_at: float | None = None
    """When it was committed, in seconds since the epoch; None if it was not, or not yet."""

    def add(self, note: Note) -> None:
        """Keep one call's revocations."""
        self.transaction.count += 1
        self.notes.append((self.transaction.count, note))

    def carry_out(self) -> None:
        """Deny tokens: the savepoints are committed. A method, so that callbacks show the batch."""
        # Before the denials: a cache that answers late delays the closes, and the metric shows it.
        self.committed_at = time.time()
        self.notes = [(number, _denied(note)) for number, note in self.notes]


@dataclass(slots=True)
class Transaction:
    """The batches of one transaction. `publish` gets the revocations that were committed.

    `block`: inside a `TestCase`, the savepoint that stands for a transaction.
    """

    publish: Callable[[Batch], None]
    block: str | None = None
    is_over: bool = False
    count: int = 0
    """The number of the last note."""
    finishes: int = 0
    batches: list[SavepointBatch] = field(default_factory=list)
    _newest: dict[frozenset[str], SavepointBatch] = field(default_factory=dict)

    def batch_of(self, savepoints: frozenset[str]) -> SavepointBatch | None:
        """Return the batch of the open savepoints, if there is one."""
        return self._newest.get(savepoints)

    def open_batch(self, savepoints: frozenset[str]) -> SavepointBatch:
        """Return a new batch. After it, another finish must be registered as a callback."""
        batch = self._newest[savepoints] = SavepointBatch(transaction=self)
        self.batches.append(batch)
        return batch

    def next_finish(self) -> "Finish":
        """Return one more finish: only the last one publishes, when all batches are carried out."""
        self.finishes += 1
        return Finish(self, self.finishes)

    def finish(self) -> None:
        """Publish the revocations that were committed, in the order in which they were noted."""
        self.is_over = True
        merged = Batch()
        notes: list[tuple[int, Note]] = []
        for batch in self.batches:
            if batch.committed_at is not None:
                merged.committed_at = min(merged.committed_at, batch.committed_at)
                notes += batch.notes
        notes.sort(key=itemgetter(0))
        waited = _waited([note for _, note in notes], merged.committed_at)
        for _, note in notes:
            merged.note(_postponed(note, waited))
        self.publish(merged)


@dataclass(frozen=True, slots=True)
class Finish:
    """A callback that finishes a transaction, unless another one was registered after it."""

    transaction: Transaction
    number: int

    def run(self) -> None:
        """Finish the transaction, if this is the last one."""
        if self.number == self.transaction.finishes:
            self.transaction.finish()


def deny_all(note: Note) -> Exception | None:
    """Call each denial of a note. Return the last error, None if there was none."""
    failure = None
    for deny in note.denials:
        try:
            deny()
        except Exception as error:  # noqa: BLE001 - the other denials and the closes must follow
            failure = error
    return failure


@contextmanager
def in_savepoints() -> Iterator[None]:
    """Run the block in a savepoint of each transaction that is open in this thread.

    If it raises, the savepoints are rolled back. Without them, PostgreSQL would refuse all later
    queries of a caller's transaction in which one query has failed.
    """
    with ExitStack() as stack:
        for each in connections.all(initialized_only=True):
            if each.in_atomic_block:
                stack.enter_context(transaction.atomic(using=each.alias))
        yield


def _denied(note: Note) -> Note:
    """Carry out the denials of a note. If one fails, nothing of the note counts as revoked."""
    failure = deny_all(note)
    if failure is None:
        return note
    # Nobody is left to whom it could be raised: what is committed stays.
    log_error(UNDENIED, failure, brief=True)
    return replace(note, is_told=False)


def _waited(notes: Sequence[Note], committed_at: float) -> dict[float, float]:
    """Return how long each call with a margin has waited for the commit, by its deadline."""
    waited: dict[float, float] = {}
    for note in notes:
        for ending in note.endings:
            if ending.deadline is not None:
                waited.setdefault(ending.deadline, max(0.0, committed_at - note.made_at))
    return waited


def _postponed(note: Note, waited: Mapping[float, float]) -> Note:
    """Return the note with margins that begin at the commit: until then no client is warned."""
    if not waited:
        return note

    def postpone(revocation: Revocation) -> Revocation:
        if revocation.deadline is None:
            return revocation
        late = waited.get(revocation.deadline, 0.0)
        return replace(revocation, deadline=revocation.deadline + late)

    instead_of = postpone(note.instead_of) if note.instead_of else None
    return replace(note, endings=[postpone(e) for e in note.endings], instead_of=instead_of)
