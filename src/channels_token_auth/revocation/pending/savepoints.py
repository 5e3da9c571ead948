"""Keep the revocations of a transaction until its commit, in one batch for each savepoint.

A savepoint may be rolled back alone: Django then drops the callbacks that were registered inside
it, and with them the revocations of that savepoint. The docstring of the module `on_commit` shows
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
    """The notes with their numbers, which order the notes of all batches by time."""
    committed_at: float | None = None
    """When the batch was committed, in seconds since the epoch; None: not, or not yet."""

    def add(self, note: Note) -> None:
        """Keep one call's revocations."""
        self.transaction.count += 1
        self.notes.append((self.transaction.count, note))

    def carry_out(self) -> None:
        """Deny the tokens, now that the savepoints are committed.

        Django holds this bound method as its callback: `__self__` leads from there to the batch.
        """
        # Before the denials: a slow cache delays the closes, and the metric has to include that.
        self.committed_at = time.time()
        self.notes = [(number, _denied(note)) for number, note in self.notes]


@dataclass(slots=True)
class Transaction:
    """The batches of one transaction. `publish` is called with the committed revocations.

    `block`: inside a `TestCase`, the savepoint of the outermost atomic block of the code under
    test. That code would have a transaction there; the test's own is never committed.
    """

    publish: Callable[[Batch], None]
    block: str | None = None
    is_over: bool = False
    count: int = 0
    """How many notes the transaction has: the number of the last one."""
    finishes: int = 0
    """How many callbacks would finish the transaction: only the last one does."""
    batches: list[SavepointBatch] = field(default_factory=list)
    _newest: dict[frozenset[str], SavepointBatch] = field(default_factory=dict)

    def batch_of(self, savepoints: frozenset[str]) -> SavepointBatch | None:
        """Return the batch of the open savepoints, if there is one."""
        return self._newest.get(savepoints)

    def open_batch(self, savepoints: frozenset[str]) -> SavepointBatch:
        """Return a new batch. The caller must register `next_finish` as a callback after it."""
        batch = self._newest[savepoints] = SavepointBatch(transaction=self)
        self.batches.append(batch)
        return batch

    def next_finish(self) -> "Finish":
        """Return one more finish. Only the last one publishes: by then all batches have run."""
        self.finishes += 1
        return Finish(self, self.finishes)

    def finish(self) -> None:
        """Publish the revocations that were committed, in the order in which they were noted."""
        # For a `TestCase`, whose list of callbacks outlives this transaction.
        self.is_over = True
        merged = Batch()
        notes: list[tuple[int, Note]] = []
        for batch in self.batches:
            # Django dropped the callback of a batch whose savepoint was rolled back.
            if batch.committed_at is not None:
                merged.committed_at = min(merged.committed_at, batch.committed_at)
                notes += batch.notes
        # By number and not by batch: a later note may supersede one of an inner savepoint.
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
        # A connection that this thread has not used yet has no transaction, and must not be opened.
        for each in connections.all(initialized_only=True):
            if each.in_atomic_block:
                stack.enter_context(transaction.atomic(using=each.alias))
        yield


def _denied(note: Note) -> Note:
    """Carry out the denials of a note. If one fails, the note is not reported as revoked."""
    failure = deny_all(note)
    if failure is None:
        return note
    # Logged and not raised: this runs after the commit, which nothing can undo any more.
    log_error(UNDENIED, failure, brief=True)
    return replace(note, is_reported=False)


def _waited(notes: Sequence[Note], committed_at: float) -> dict[float, float]:
    """Return the seconds that each call with a margin has waited for the commit, by deadline."""
    # The deadline identifies the call: all revocations of one call have the same one.
    waited: dict[float, float] = {}
    for note in notes:
        for revocation in note.revocations:
            if revocation.deadline is not None:
                waited.setdefault(revocation.deadline, max(0.0, committed_at - note.made_at))
    return waited


def _postponed(note: Note, waited: Mapping[float, float]) -> Note:
    """Return the note with margins that begin at the commit, since no client is warned before."""
    # Nearly always: without a margin, nothing is copied.
    if not waited:
        return note

    def postpone(revocation: Revocation) -> Revocation:
        if revocation.deadline is None:
            return revocation
        late = waited.get(revocation.deadline, 0.0)
        return replace(revocation, deadline=revocation.deadline + late)

    supersedes = postpone(note.supersedes) if note.supersedes else None
    return replace(note, revocations=[postpone(e) for e in note.revocations], supersedes=supersedes)
