"""Find rows by the values of one column: one query per batch, with SQL that is compiled once.

The query is the ORM's own, including custom models, joins and converters. Only the result of
compiling it is cached, because compiling takes ten times as long as running it.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError, connections, router
from django.db.models import QuerySet
from django.db.models.manager import BaseManager

from ...django_internals import PreparedQuery, named_database

__all__ = ["LARGEST", "Lookup", "Manager", "Reads", "read", "reading"]

LARGEST = 128
"""Largest batch whose compiled SQL is cached; larger ones are rare."""

Manager = Callable[[], "BaseManager[Any]"]
"""Return the manager to query, once Django's app registry is ready."""


class Reads(threading.local):
    """How this thread reads rows now: from replicas, or from the databases for writes only.

    `has_old_rows`: a replica had some of the rows, and they may be older than those of the primary.
    """

    from_primary = False
    has_old_rows = False


_reads = Reads()


@contextmanager
def reading(*, from_primary: bool) -> Iterator[Reads]:
    """Read in this way inside the block."""
    # Nested blocks occur: a backend's own lookups run inside the one that confirms a rejection.
    before = _reads.from_primary, _reads.has_old_rows
    _reads.from_primary, _reads.has_old_rows = from_primary, False
    try:
        yield _reads
    finally:
        _reads.from_primary, _reads.has_old_rows = before


def read(
    rows: QuerySet[Any], collect: Callable[[QuerySet[Any]], dict[Any, Any]], wanted: set[Any]
) -> dict[Any, Any]:
    """Return the result of `collect` for the rows in the database for reads.

    If a wanted row is missing there, query the database for writes: a token that was just issued
    must not be invalid because a replica lags.
    """
    alias, primary = _databases(rows)
    found = collect(rows.using(alias))
    if primary is None:
        return found
    _reads.has_old_rows |= bool(found)
    return found if wanted <= found.keys() else found | collect(rows.using(primary))


class Lookup:
    """Find rows of a manager where `column` has a value.

    `refine` adds joins or columns to the manager's queryset, but no parameters. A manager with a
    `get_queryset` of its own is called anew for each query, and its SQL is not cached: its result
    may depend on the tenant, the language or the time.
    """

    def __init__(
        self,
        manager: Manager,
        column: str,
        refine: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows,
    ) -> None:
        self._manager = manager
        self._column = column
        self._refine = refine
        # A compiled query belongs to a connection, and so to a thread.
        self._compiled: WeakKeyDictionary[Any, dict[int, _Compiled]] = WeakKeyDictionary()

    def find(self, values: Collection[Any]) -> list[Any]:
        """Return the rows that have one of the values, in no order.

        Rows are objects, or tuples that begin with the column.
        """
        # Each once, since several sockets present the same token; None matches no row.
        asked = [value for value in dict.fromkeys(values) if value is not None]
        if not asked:
            return []
        rows = self._plain_rows if self._is_plain else self._rows()
        alias, primary = _databases(rows)
        found = self._find_on(alias, rows, asked)
        if primary is None:
            return found
        _reads.has_old_rows |= bool(found)
        # A token that was issued a moment ago may not have reached the replica: ask the primary
        # about those that are missing, and about no others.
        missing = self._missing(rows, asked, found)
        return [*found, *self._find_on(primary, rows, missing)] if missing else found

    def _find_on(self, alias: Any, rows: QuerySet[Any], asked: list[Any]) -> list[Any]:
        if self._is_plain and len(asked) <= LARGEST:
            compiled = self._compile(rows, alias, len(asked))
            if compiled is not None:
                return compiled.run(asked)
        return list(rows.using(alias).filter(**{f"{self._column}__in": asked}))

    def _missing(self, rows: QuerySet[Any], asked: list[Any], found: list[Any]) -> list[Any]:
        field = _field(rows, self._column)
        # Converted, since a text that a client sent is compared with a column of integers or UUIDs.
        there = {row[0] if isinstance(row, tuple) else getattr(row, field.attname) for row in found}
        return [value for value in asked if field.to_python(value) not in there]

    def _compile(self, rows: QuerySet[Any], alias: str, number: int) -> "_Compiled | None":
        # Compile queries for powers of two only, so that there are few. The last value is repeated.
        size = 1 << (number - 1).bit_length()
        by_size = self._compiled.setdefault(connections[alias], {})
        if size not in by_size:
            try:
                by_size[size] = _Compiled(rows.using(alias), self._column, size)
            except (DatabaseError, InterfaceError):
                raise
            except Exception:  # noqa: BLE001 - a column whose type rejects the samples
                self._is_plain = False
                return None
        return by_size[size]

    def _rows(self) -> QuerySet[Any]:
        return self._refine(self._manager().all())

    @cached_property
    def _plain_rows(self) -> QuerySet[Any]:
        return self._rows()

    @cached_property
    def _is_plain(self) -> bool:
        # A manager with a `get_queryset` of its own may filter by tenant: its SQL changes between
        # calls.
        manager = type(self._manager())
        return (manager.get_queryset, manager.all) == (BaseManager.get_queryset, BaseManager.all)


def _databases(rows: QuerySet[Any]) -> tuple[str, str | None]:
    """Return the database to read from, and the one to ask about what is missing there, if any.

    None if the manager named the database: it may be a tenant's, and no other is asked then.
    """
    alias = rows.db  # call the router once: it may return another replica each time
    if named_database(rows) is not None:
        return alias, None
    primary = router.db_for_write(rows.model)
    if primary == alias or _reads.from_primary:
        return primary, None
    return alias, primary


def _field(rows: QuerySet[Any], column: str) -> Any:
    options = rows.model._meta
    return options.pk if column == "pk" else options.get_field(column)


class _Compiled:
    """A query for `size` values, whose compiler knows its SQL already."""

    def __init__(self, rows: QuerySet[Any], column: str, size: int) -> None:
        field = _field(rows, column)
        # Any values of the right type: only their number appears in the SQL.
        samples = [field.to_python(number) for number in range(size)]
        self._query = PreparedQuery(rows.filter(**{f"{column}__in": samples}))
        self._field = field
        # Parameters of the site's own manager would be mixed up with ours.
        if self._query.size != size:
            raise TypeError(f"The query on {rows.model._meta.label} has parameters of its own.")

    def run(self, values: list[Any]) -> list[Any]:
        values = values + values[-1:] * (self._query.size - len(values))
        connection = self._query.connection
        return self._query.run([self._field.get_db_prep_value(each, connection) for each in values])
