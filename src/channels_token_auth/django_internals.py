"""Private parts of Django and asgiref that this library relies on, all of them in this module.

Any minor release may change them. Each function has a test of its own, which the suite runs on the
lowest and the newest supported versions: a change in Django fails a test, and is adapted here.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from asgiref.sync import SyncToAsync
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.deletion import Collector
from django.db.models.signals import post_delete, pre_delete
from django.db.models.sql import DeleteQuery
from django.http import HttpRequest

__all__ = [
    "PreparedQuery",
    "add_commit_callback",
    "asgi_request",
    "commit_callbacks",
    "copy_results",
    "copy_state",
    "delete_alone",
    "has_new_password",
    "is_connection_due",
    "is_test_environment",
    "keep_out_of_cache",
    "loop_of_sync_code",
    "named_database",
    "put_last_callback_first",
    "savepoints",
    "sync_thread_key",
    "take_test_callbacks",
    "test_case_block",
]


_PLAIN_STATE = frozenset({"adding", "db"})
"""The attributes of a state without related objects, as of most users."""


def savepoints(connection: Any) -> frozenset[str]:
    """Return the savepoints that the connection's transaction is in."""
    # None is an atomic block without a savepoint, such as those of Django's deletions.
    return frozenset(connection.savepoint_ids) - {None}


def commit_callbacks(connection: Any) -> Iterator[tuple[frozenset[str], Callable[[], Any]]]:
    """Yield what runs after the commit, in this order, with the savepoints it depends on."""
    # An entry is (savepoints, function, robust).
    for ids, function, *_ in connection.run_on_commit:
        yield frozenset(ids) - {None}, function


def add_commit_callback(connection: Any, function: Callable[[], Any]) -> None:
    """Call the function after the commit, whichever savepoints are rolled back until then."""
    # `transaction.on_commit` binds a callback to the savepoints that are open now.
    connection.run_on_commit.append((set(), function, True))


def put_last_callback_first(connection: Any) -> None:
    """Run the callback that was registered last before all others, once the commit is done."""
    waiting = connection.run_on_commit
    waiting.insert(0, waiting.pop())


def has_new_password(user: Any) -> bool:
    """Return whether `set_password` was called on this instance and `save` has just stored it."""
    # AbstractBaseUser.save clears it after `post_save`: only receivers of that signal can read it.
    return getattr(user, "_password", None) is not None


def copy_results(rows: Any, copy_one: Callable[[Any], Any]) -> Any:
    """Return a copy of a queryset with copies of the objects that it holds. Runs no query."""
    fresh = object.__new__(type(rows))
    # Clones of both copy the query that they share before they change it.
    fresh.__dict__ = vars(rows).copy()
    # The results are no list before they were fetched; the others refer to the parent object.
    for name in ("_result_cache", "_known_related_objects", "_hints"):
        setattr(fresh, name, copy_one(getattr(rows, name)))
    return fresh


def copy_state(state: ModelState, copy_one: Callable[[Any], Any]) -> ModelState:
    """Return a copy of a model instance's state with copies of the related objects in it."""
    fresh = object.__new__(ModelState)
    values = vars(state)
    # One by one: Python makes no dictionary for an object whose attributes are only set and read.
    if values.keys() == _PLAIN_STATE:
        fresh.adding, fresh.db = state.adding, state.db
        return fresh
    for name, value in values.items():
        if name != "fields_cache":
            setattr(fresh, name, value)
        # Django makes it on first use, and most users have none: none is kept for them.
        elif value:
            fresh.fields_cache = {key: copy_one(each) for key, each in value.items()}
    return fresh


def named_database(rows: QuerySet[Any]) -> str | None:
    """Return the database that a manager or `using()` has named; None: the router decides."""
    return rows._db  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - the reason for this module


def is_test_environment() -> bool:
    """Return whether Django's test runner, or pytest-django, has set up its environment."""
    # A running site never imports the module, so that this needs only one look-up there.
    utils = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")  # noqa: SLF001 - as above


def keep_out_of_cache(request: HttpRequest) -> None:
    """Have Django's cache of the whole site keep no answer to this request."""
    # The header `no-store` should suffice. But the first releases of Django 5.2 ignore it, and do
    # not distinguish answers by `Authorization`: one user would get the answer to another.
    request._cache_update_cache = False  # type: ignore[attr-defined]  # noqa: SLF001 - as above


def test_case_block(connection: Any) -> tuple[bool, str | None]:
    """Return whether a `TestCase` has opened the transaction; and the savepoint of the outermost
    atomic block in it that is not the test's own, None if there is none.
    """
    blocks = connection.atomic_blocks
    own = sum(1 for each in blocks if getattr(each, "_from_testcase", False))
    if not own:
        return False, None
    # The first block of all has no savepoint: it has begun the transaction.
    inside = connection.savepoint_ids[own - 1 :]
    return True, inside[0] if inside else None


def take_test_callbacks(
    connection: Any, is_ours: Callable[[Callable[[], Any]], bool]
) -> list[Callable[[], Any]]:
    """Return and remove the callbacks that wait for a commit, if only the atomic blocks of a
    `TestCase` are open: its transaction is rolled back, and never committed.
    """
    blocks = connection.atomic_blocks if connection.in_atomic_block else []
    if not blocks or not all(getattr(each, "_from_testcase", False) for each in blocks):
        return []
    waiting = connection.run_on_commit
    connection.run_on_commit = [each for each in waiting if not is_ours(each[1])]
    return [each[1] for each in waiting if is_ours(each[1])]


def asgi_request() -> Any:
    """Return the object that identifies the caller's ASGI request; None if there is none.

    It is the same in all code of the request: in its tasks, and in threads that asgiref started.
    """
    return SyncToAsync.thread_sensitive_context.get(None)


def loop_of_sync_code() -> Any:
    """Return the event loop that has sent its synchronous code to this thread; None without one."""
    return getattr(SyncToAsync.threadlocal, "main_event_loop", None)


def sync_thread_key() -> Any:
    """Return the key by which asgiref selects the thread of this task's synchronous code."""
    return SyncToAsync.thread_sensitive_context.get(None) or asyncio.get_running_loop()


def is_connection_due(connection: Any) -> bool:
    """Return whether `close_if_unusable_or_obsolete` would do anything.

    It reads attributes only, so that the event loop may call it for another thread's connection.
    """
    return connection.connection is not None and (
        connection.errors_occurred
        or (connection.close_at is not None and time.monotonic() >= connection.close_at)
        or (connection.health_check_enabled and connection.health_check_done)
        or connection.autocommit != connection.settings_dict["AUTOCOMMIT"]
    )


class _AloneCollector(Collector):
    """Django's rule on which row needs no transaction, except for the library's own receivers.

    Those act after the commit of the caller's transaction, or at once without one.
    """

    def _has_signal_listeners(self, model: Any) -> bool:
        sync, asynchronous = post_delete._live_receivers(model)  # noqa: SLF001 - as in Django
        return pre_delete.has_listeners(model) or bool(asynchronous) or not all(map(_is_ours, sync))


def _is_ours(receiver: Any) -> bool:
    module = getattr(getattr(receiver, "func", receiver), "__module__", None) or ""
    return str(module).partition(".")[0] == __package__


def delete_alone(row: Model, using: str) -> bool:
    """Delete a row in one query without a transaction, and send `post_delete`; or return False.

    False, with nothing done, if the row has cascades or parents, or if a site's receiver of the
    signals could expect to run in the transaction of the deletion.
    """
    model = type(row)
    if not _AloneCollector(using=using, origin=row).can_fast_delete(row):
        return False
    DeleteQuery(model).delete_batch([row.pk], using)
    post_delete.send(sender=model, instance=row, using=using, origin=row)
    return True


class PreparedQuery:
    """A query of the ORM whose SQL is compiled once, and run with other parameters each time.

    It belongs to the connection it was compiled for, and so to a thread.
    """

    def __init__(self, rows: QuerySet[Any]) -> None:
        self._rows = rows
        compiler = rows.query.get_compiler(rows.db)
        self.connection = compiler.connection
        self._sql, samples = compiler.as_sql()
        self.size = len(samples)
        """How many parameters it takes."""
        self._params: Sequence[Any] = ()
        # Clones of the queryset copy the query's attributes, and so take this compiler along.
        compiler.as_sql = lambda: (self._sql, self._params)
        rows.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]

    def run(self, params: Sequence[Any]) -> list[Any]:
        """Return the rows for these parameters, as the database driver takes them."""
        self._params = tuple(params)
        return list(self._rows.all())
