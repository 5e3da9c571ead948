"""Publish revocations once the caller's transaction is committed, in as few messages as can be.

Deleted rows and explicit calls arrive here as notes. Without a transaction, a note is carried out
at once. Inside one, it has to share the fate of the savepoints that are open:

    with atomic():                 Django's callbacks          this module
        token_a.delete()     -->   batch {}       (first)      note 1: close the sockets of a
        with atomic():             |
            token_b.delete() -->   batch {s1}     (first)      note 2: close the sockets of b
            rolled back            x  Django drops the callback of s1
        token_c.delete()     -->   batch {}                    note 3: close the sockets of c
    COMMIT                         |
                                   batch {}.carry_out()        deny tokens that have no row
                                   callbacks of the site
                                   finish.run()                merge notes 1 and 3 in their order,
                                                               and send one message to all nodes

A batch holds the notes of one set of savepoints, and is a callback that is bound to them. If a
savepoint is rolled back, Django drops the callback, and the batch is never committed. `Finish` is
bound to no savepoint, and is registered again with each batch: the last one publishes.

Denials run before the callbacks of the site, since one that raises would keep them from running and
no sweep makes up for a lost denial. The message keeps its place among the callbacks: what a site
sends to a socket before it deletes the token arrives before the close.

The notes of one transaction are judged together, so that a token which was replaced closes its
sockets with 4419. A row that an explicit call deletes, such as `revoke_user`, was never replaced.
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
    endings: Sequence[Revocation],
    denials: Sequence[Deny],
    *,
    using: str,
    is_told: bool = True,
    instead_of: Revocation | None = None,
    is_announced: bool = False,
    issued: Sequence[Issued] = (),
) -> None:
    """Deny, then have all nodes close sockets: now, or when the transaction of `using` commits.

    The arguments are those of `Note`. Raises what a denial raises, such as CacheUnavailable, when
    all else is done, and only where there is no transaction: what is committed stays.
    """
    if not (endings or denials or issued):
        return
    note = Note(
        endings=endings,
        denials=denials,
        is_told=is_told,
        instead_of=instead_of,
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
    is_told = note.is_told and failure is None
    _say(dict.fromkeys(note.endings, is_told), committed_at, note.instead_of if is_told else None)
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
    """An explicit call that is under way, such as `revoke_user`.

    Signals announce the rows that it deletes. They were revoked on purpose: no token replaces
    them, and their sockets have the same `deadline` as those that the call names.
    """

    deadline: float | None
    batch: Batch = field(default_factory=Batch)

    def own(self, note: Note) -> Note:
        """Return an announcement as a revocation of this call."""
        endings = [replace(each, deadline=self.deadline) for each in note.endings]
        return replace(note, endings=endings, is_announced=False)


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
        _call.reset(token)
        _say(call.batch.endings, call.batch.committed_at)


_call: ContextVar[_Call | None] = ContextVar("_call", default=None)


def _batch(connection: Any, using: str) -> SavepointBatch:
    """Return the batch that shares the fate of the open savepoints; or open one."""
    is_test, block = test_case_block(connection)
    current = savepoints(connection)
    whole = _transaction(connection, is_test=is_test, block=block)
    # A test captures callbacks that are registered from some moment on: none is shared there.
    found = None if is_test or whole is None else whole.batch_of(current)
    if found:
        return found
    whole = whole or Transaction(_publish, block=block)
    batch = whole.open_batch(current)
    transaction.on_commit(batch.carry_out, using=using, robust=True)
    if not is_test:
        put_last_callback_first(connection)
    add_commit_callback(connection, whole.next_finish().run)
    return batch


def _transaction(connection: Any, *, is_test: bool, block: str | None) -> Transaction | None:
    """Return the transaction that is open, if something was noted in it."""
    for _, call in commit_callbacks(connection):
        batch = getattr(call, "__self__", None)
        if not isinstance(batch, SavepointBatch):
            if is_test:
                continue
            return None  # outside of a test, batches come before all other callbacks
        whole = batch.transaction
        if not is_test or (not whole.is_over and block is not None and whole.block == block):
            return whole
    return None


def _publish(batch: Batch) -> None:
    _say(batch.judged(), batch.committed_at)


def _say(
    endings: Mapping[Revocation, bool], committed_at: float, instead_of: Revocation | None = None
) -> None:
    """Publish them. Each node measures from `committed_at`: see the event `SocketsClosed`."""
    call = _call.get()
    if call:
        call.batch.committed_at = min(call.batch.committed_at, committed_at)
        call.batch.take(endings, instead_of)
        return
    said = list(endings)
    _note_replaced(said)
    starts = range(0, len(said), PER_MESSAGE)
    groups = [said[start : start + PER_MESSAGE] for start in starts]
    publish(
        *(
            {
                "kind": "end",
                "endings": [each.to_message() for each in group],
                "published_at": committed_at,
                "epoch": known_epoch(),
            }
            for group in groups
        )
    )
    for ending, is_told in endings.items():
        emit(RevocationPublished(revocation=ending, is_revocation=is_told))


def _note_replaced(endings: Sequence[Revocation]) -> None:
    """Note the replaced tokens for nodes that miss the message: their sweep finds no row."""
    replaced = [
        (each.target.backend, each.target.token_id)
        for each in endings
        if each.code is CloseReason.TOKEN_EXPIRED and each.target.token_id
    ]
    if replaced:
        site_authenticator().replaced.note(replaced)
