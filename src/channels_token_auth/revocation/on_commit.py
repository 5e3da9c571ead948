"""Publish revocations once the caller's transaction is committed, in as few messages as possible.

Signals of deleted rows and explicit calls such as `revoke_user` become notes. Without a
transaction, a note is carried out at once. Inside one, it must be dropped if a savepoint that is
open now is rolled back later:

    with atomic():                 Django's callbacks          this module
        token_a.delete()     -->   batch {}       (first)      note 1: close the sockets of a
        with atomic():             |
            token_b.delete() -->   batch {s1}     (first)      note 2: close the sockets of b
            rolled back            x  Django drops the callback of s1
        token_c.delete()     -->   batch {}                    note 3: close the sockets of c
    COMMIT                         |
                                   batch {}.carry_out()        deny tokens that have no row
                                   other callbacks of the site
                                   finish.run()                merge notes 1 and 3 in their order,
                                                               and send one message to all nodes

A batch holds the notes of one set of savepoints, and is a callback that is bound to them. If a
savepoint is rolled back, Django drops the callback, and the batch is never committed. `Finish` is
bound to no savepoint, and is registered again with each batch: the last one publishes.

Denials run before the site's own callbacks: if one of those raises, Django runs none after it, and
no sweep repairs a lost denial. The message keeps its place among the callbacks, so that messages
which a site sends to a socket before it deletes the token arrive before the close.

The codes are decided for all notes of a transaction together: if the transaction issues a new token
for the one that it deletes, the sockets close with 4419. A row that an explicit call deletes, such
as `revoke_user`, was never replaced.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router, transaction

from ..cluster.pubsub import publish
from ..core.close_codes import CloseReason
from ..core.revocation import Revocation
from ..django_internals import (
    add_commit_callback,
    commit_callbacks,
    put_last_callback_first,
    savepoints,
    test_case_block,
)
from ..observability.events import RevocationPublished, emit
from ..verification.authenticator import site_authenticator
from ..verification.node_denials import known_epoch
from .pending.batches import Batch, Deny, Issued, Note
from .pending.savepoints import Finish, SavepointBatch, Transaction, deny_all
from .request_end import at_end_of_request

__all__ = ["after_commit", "gathered", "is_ours", "site_database"]

PER_MESSAGE = 100
"""Revocations in one message: a channel layer bounds how many and how large they are."""


def after_commit(
    revocations: Sequence[Revocation],
    denials: Sequence[Deny],
    *,
    using: str,
    is_reported: bool = True,
    supersedes: Revocation | None = None,
    is_announced: bool = False,
    issued: Sequence[Issued] = (),
) -> None:
    """Deny tokens, then publish to all nodes: now, or when the transaction of `using` commits.

    The arguments are those of `Note`. Without a transaction, raises what a denial raises, such as
    CacheUnavailable, after everything else is done. In a transaction, such an error is logged.
    """
    if not (revocations or denials or issued):
        return
    note = Note(
        revocations=revocations,
        denials=denials,
        is_reported=is_reported,
        supersedes=supersedes,
        is_announced=is_announced,
        issued=issued,
    )
    call = _call.get()
    if call and is_announced:
        note = call.own(note)
    connection = connections[using]
    if connection.in_atomic_block:
        _batch(connection, using).add(note)
    else:
        _carry_out_now(note)


def _carry_out_now(note: Note) -> None:
    committed_at = time.time()
    failure = deny_all(note)
    # After a failed denial, the sockets close all the same, but the revocation is not reported.
    is_reported = note.is_reported and failure is None
    revocations = dict.fromkeys(note.revocations, is_reported)
    _publish(revocations, committed_at, note.supersedes if is_reported else None)
    if failure:
        raise failure


def is_ours(callback: Callable[[], Any]) -> bool:
    """Return whether a callback of a transaction publishes revocations."""
    if isinstance(callback, partial):
        return callback.func is at_end_of_request
    return isinstance(getattr(callback, "__self__", None), SavepointBatch | Finish)


def site_database() -> str:
    """Return the alias of the database whose commit revocations wait for: that of the users."""
    return router.db_for_write(get_user_model())


@dataclass(slots=True)
class _Call:
    """An explicit call in progress, such as `revoke_user`.

    Signals announce the rows that it deletes. Those were revoked on purpose: no token replaces
    them, and their sockets get the `deadline` of the call.
    """

    deadline: float | None
    batch: Batch = field(default_factory=Batch)

    def own(self, note: Note) -> Note:
        """Return the note of a signal as one of this call."""
        revocations = [replace(each, deadline=self.deadline) for each in note.revocations]
        return replace(note, revocations=revocations, is_announced=False)


@contextmanager
def gathered(*, deadline: float | None = None) -> Iterator[None]:
    """Treat the rows that are deleted inside the block as revoked by an explicit call.

    Publish at the end, once each, the revocations that were committed inside the block.
    """
    call = _Call(deadline)
    token = _call.set(call)
    try:
        yield
    finally:
        # First, or `_publish` would add the revocations to the call again.
        _call.reset(token)
        _publish(call.batch.revocations, call.batch.committed_at)


_call: ContextVar[_Call | None] = ContextVar("_call", default=None)


def _batch(connection: Any, using: str) -> SavepointBatch:
    """Return the batch that is bound to the open savepoints; open one if there is none."""
    is_test, block = test_case_block(connection)
    current = savepoints(connection)
    whole = _transaction(connection, is_test=is_test, block=block)
    # `captureOnCommitCallbacks` of a test sees only what is registered inside its block: there,
    # each note needs callbacks of its own.
    found = None if is_test or whole is None else whole.batch_of(current)
    if found:
        return found
    whole = whole or Transaction(_publish_batch, block=block)
    batch = whole.open_batch(current)
    transaction.on_commit(batch.carry_out, using=using, robust=True)
    if not is_test:  # a test captures the end of the list of callbacks, and not its front
        put_last_callback_first(connection)
    add_commit_callback(connection, whole.next_finish().run)
    return batch


def _transaction(connection: Any, *, is_test: bool, block: str | None) -> Transaction | None:
    """Return the open transaction; None if it has no note yet.

    Django has no object that lives as long as a transaction, but its list of callbacks does.
    """
    for _, call in commit_callbacks(connection):
        batch = getattr(call, "__self__", None)
        if not isinstance(batch, SavepointBatch):
            if is_test:
                continue
            return None  # outside of a test, batches come before all other callbacks
        whole = batch.transaction
        # The list of a `TestCase` also has batches of atomic blocks that ended before this one.
        if not is_test or (not whole.is_over and block is not None and whole.block == block):
            return whole
    return None


def _publish_batch(batch: Batch) -> None:
    _publish(batch.with_codes(), batch.committed_at)


def _publish(
    revocations: Mapping[Revocation, bool],
    committed_at: float,
    supersedes: Revocation | None = None,
) -> None:
    """Publish revocations to all nodes; inside an explicit call, collect them until its end.

    The value of each: True if it is reported. `committed_at`: each node measures from then how long
    its sockets took to close (see the event `SocketsClosed`).
    """
    call = _call.get()
    if call:
        call.batch.committed_at = min(call.batch.committed_at, committed_at)
        call.batch.take(revocations, supersedes)
        return
    # Before the message: a node that misses it must find in the cache that these were replaced.
    published = list(revocations)
    _note_replaced(published)
    starts = range(0, len(published), PER_MESSAGE)
    groups = [published[start : start + PER_MESSAGE] for start in starts]
    publish(
        *(
            {
                "kind": "revoke",
                "revocations": [each.to_message() for each in group],
                "published_at": committed_at,
                "epoch": known_epoch(),
            }
            for group in groups
        )
    )
    for revocation, is_reported in revocations.items():
        emit(RevocationPublished(revocation=revocation, is_revocation=is_reported))


def _note_replaced(revocations: Sequence[Revocation]) -> None:
    """Store which tokens were replaced, for the sweeps of nodes that miss the message.

    Those find no row, and would close the sockets as revoked.
    """
    replaced = [
        (each.target.backend, each.target.token_id)
        for each in revocations
        if each.code is CloseReason.TOKEN_EXPIRED and each.target.token_id
    ]
    if replaced:
        site_authenticator().replaced.note(replaced)
