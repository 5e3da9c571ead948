"""Close old database connections before a message, in the thread in which sync code runs.

Channels switches to that thread before every message, mostly for nothing: Django closes only a
connection that has failed or is older than CONN_MAX_AGE. Both are plain attributes, which the event
loop can read. So this module remembers each connection when it is opened, and switches to the
thread only when one of its connections is due. The first switch shows which thread it is.
"""

from threading import get_ident
from typing import Any
from weakref import WeakKeyDictionary, ref

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from ..django_internals import is_connection_due, sync_thread_key

__all__ = ["close_old_connections", "is_due"]

# Weak, so that the table keeps no connection of a thread that has ended. Tuples, which another
# thread replaces and never changes: each message of each socket goes through one.
_opened: dict[int, tuple[ref[Any], ...]] = {}
"""The connections of each thread, by its id."""

_threads: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""The ids of the threads of sync code, by the key that asgiref chooses a thread by."""


def is_due() -> bool:
    """Return True if a connection of this task's sync thread may have to be closed."""
    thread = _threads.get(sync_thread_key())
    if thread is None:
        return True
    # A loop and no generator, which takes twice as long.
    for each in _opened.get(thread, ()):
        connection = each()
        if connection is not None and is_connection_due(connection):
            return True
    return False


async def close_old_connections() -> None:
    """Close the connections that are due, in the thread of this task's sync code."""
    _threads[sync_thread_key()] = await _close()


# Thread-sensitive, which is asgiref's default: in the thread of the site's own sync code, whose
# connections these are.
@sync_to_async
def _close() -> int:
    for connection in connections.all(initialized_only=True):
        _remember(connection=connection)  # opened before this module was imported, perhaps
        # A transaction that is open between two messages is that of a test case.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    return get_ident()


def _remember(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    thread = get_ident()
    known = _opened.get(thread, ())
    if all(each() is not connection for each in known):
        _opened[thread] = (*(each for each in known if each() is not None), ref(connection))


# Django sends it in the thread that opened the connection, so that `get_ident` names that one.
connection_created.connect(_remember)
