"""Publish revocations once the caller's transaction is committed, in as few messages as can be.

Inside a transaction they are gathered: a clean-up that deletes ten thousand tokens is one batch.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
    savepoints,
    test_case_block,
)
from ..observability.error_log import log_error
from ..observability.events import RevocationPublished, emit
from ..verification.authenticator import site_authenticator
from ..verification.denylist import CacheUnavailable
from ..verification.node_denials import known_epoch
from .batches import Batch, Deny, Finish, Issued, SavepointBatch, Transaction, deny_all
from .request_end import at_end_of_request

__all__ = ["UNDENIED", "Deny", "after_commit", "gathered", "is_ours", "site_database"]

PER_MESSAGE = 100
"""Revocations in one message: a channel layer bounds how many and how large they are."""

UNDENIED = "A revoked token could not be denied, because the cache failed: revoke it again."


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

    `is_told`: to `token_revoked` and the audit. `instead_of`: the endings make up for what this one
    covers and was noted before. `is_announced`: rows were deleted, by whomever; if the transaction
    issues as many tokens to the user, `issued`, it replaces them. Raises CacheUnavailable, when all
    else is done, and only where there is no transaction: what is committed stays.
    """
    connection = connections[using]
    if not (endings or denials or issued):
        return
    if not connection.in_atomic_block:
        committed_at = time.time()
        failure = deny_all(denials)
        _say(dict.fromkeys(endings, is_told and not failure), committed_at, instead_of)
        if failure:
            raise failure
        return
    batch = _open_batch(connection, using)
    batch.denials += denials
    batch.issued.update(issued)
    batch.add_all(dict.fromkeys(endings, is_told), instead_of, is_announced=is_announced)


def is_ours(callback: Callable[[], Any]) -> bool:
    """Return whether a callback of a transaction publishes revocations."""
    if isinstance(callback, partial):
        return callback.func is at_end_of_request
    return isinstance(getattr(callback, "__self__", None), SavepointBatch | Finish)


def site_database() -> str:
    """Return the alias of the database whose commit revocations wait for: that of the users."""
    return router.db_for_write(get_user_model())


@contextmanager
def gathered() -> Iterator[None]:
    """Publish at the end, once each, the revocations that are committed inside the block."""
    batch = Batch()
    token = _gathering.set(batch)
    try:
        yield
    finally:
        _gathering.reset(token)
        _say(batch.endings, batch.committed_at)


def _open_batch(connection: Any, using: str) -> SavepointBatch:
    """Return the batch of the same savepoints, so that they share its fate; or open one."""
    is_test, block = test_case_block(connection)
    current, whole = savepoints(connection), None
    for ids, call in commit_callbacks(connection):
        batch = getattr(call, "__self__", None)
        if not isinstance(batch, SavepointBatch) or batch.transaction.is_over:
            continue
        # A test captures callbacks that are registered from some moment on: none is shared there.
        if ids == current and not is_test:
            return batch
        if not is_test or (block is not None and batch.transaction.block == block):
            whole = batch.transaction
    whole = whole or Transaction(_publish, block=block)
    batch = whole.open_batch()
    transaction.on_commit(batch.carry_out, using=using, robust=True)
    add_commit_callback(connection, whole.next_finish().run)
    return batch


def _publish(batch: Batch, failure: CacheUnavailable | None) -> None:
    if failure:
        log_error(UNDENIED, failure, brief=True)
    _say(batch.judged(), batch.committed_at)


_gathering: ContextVar[Batch | None] = ContextVar("_gathering", default=None)


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
