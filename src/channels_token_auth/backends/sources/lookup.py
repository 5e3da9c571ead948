"""Rows by the values of one column: one query a batch, whose SQL is compiled once.

The query is the ORM's own, custom models, joins and converters included. Only what compiling it
gives is kept, since that takes ten times as long as running it. Nothing here knows a token.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.models import Field, QuerySet

__all__ = ["LARGEST", "Lookup"]

LARGEST = 128
"""Values up to which a query is kept: more are asked for too rarely."""


class Lookup:
    """Finds rows of `queryset()`, a query without parameters, where `column` has a value."""

    def __init__(self, queryset: Callable[[], QuerySet[Any]], column: str) -> None:
        self._queryset = queryset
        self._column = column
        # A compiled query belongs to a connection, and so to a thread.
        self._compiled: WeakKeyDictionary[Any, dict[int, _Compiled]] = WeakKeyDictionary()

    def find(self, values: Collection[Any]) -> list[Any]:
        """The rows that have one of the values, in no order."""
        asked = list(dict.fromkeys(values))
        if not asked:
            return []
        rows = self._rows
        if len(asked) > LARGEST:
            return list(rows.filter(**{f"{self._column}__in": asked}))
        # Few sizes, so that few are compiled: the last value is asked for more than once.
        size = 1 << (len(asked) - 1).bit_length()
        asked += asked[-1:] * (size - len(asked))
        by_size = self._compiled.setdefault(connections[rows.db], {})
        if size not in by_size:
            by_size[size] = _Compiled(rows, self._column, size)
        return by_size[size].run(asked)

    @cached_property
    def _rows(self) -> QuerySet[Any]:
        return self._queryset()


class _Compiled:
    """A query for so many values, whose compiler knows its SQL already."""

    def __init__(self, rows: QuerySet[Any], column: str, size: int) -> None:
        options = rows.model._meta
        field: Field[Any, Any] = options.pk if column == "pk" else options.get_field(column)
        samples = [field.to_python(number) for number in range(size)]
        self._rows = rows.filter(**{f"{column}__in": samples})
        self._field = field
        compiler = self._rows.query.get_compiler(rows.db)
        self._connection = compiler.connection
        self._sql, samples = compiler.as_sql()
        if len(samples) != size:
            raise TypeError(f"The query on {options.label} has parameters of its own.")
        self._params: Sequence[Any] = ()
        compiler.as_sql = lambda: (self._sql, self._params)
        self._rows.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]

    def run(self, values: Sequence[Any]) -> list[Any]:
        self._params = tuple(
            self._field.get_db_prep_value(value, self._connection) for value in values
        )
        return list(self._rows.all())
