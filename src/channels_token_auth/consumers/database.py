"""Closing old database connections before a message, in the thread that sync code runs in.

Channels goes to that thread before every message, and mostly for nothing: Django closes only what
has failed or outlived CONN_MAX_AGE. Those are plain attributes of a connection, which can be read
from the event loop. So each connection is remembered when it is opened, whoever opens it, and the
thread is gone to when one of its connections is due; besides that once, to get to know it.
"""

from collections import defaultdict
from threading import get_ident
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from ..django_internals import is_connection_due, sync_thread_key

__all__ = ["close_old_connections", "is_due"]

_opened: defaultdict[int, WeakKeyDictionary[Any, None]] = defaultdict(WeakKeyDictionary)
"""The connections that each thread has opened."""

_NONE: WeakKeyDictionary[Any, None] = WeakKeyDictionary()

_threads: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""The thread of sync code, by what asgiref chooses it by."""


def is_due() -> bool:
    """Whether there may be something to close for this task."""
    thread = _threads.get(sync_thread_key())
    if thread is None:
        return True
    opened = _opened.get(thread, _NONE)
    # A copy: the thread may open another one meanwhile.
    return any(is_connection_due(connection) for each in opened.keyrefs() if (connection := each()))


async def close_old_connections() -> None:
    """Close what is due in the thread of this task's sync code."""
    _threads[sync_thread_key()] = await _close()


@sync_to_async
def _close() -> int:
    for connection in connections.all(initialized_only=True):
        _remember(connection=connection)  # it may have been opened before this module was there
        # What is open between two messages is the transaction of a test case.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    return get_ident()


def _remember(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    _opened[get_ident()][connection] = None


connection_created.connect(_remember)
