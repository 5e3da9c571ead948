"""Delete what a test has committed, faster than a flush.

A flush resets every sequence, and then Django creates all permissions again: that takes longer than
most tests. This deletes the rows of the tables that have any, except those that Django fills.
"""

from functools import cache

from django.db import connection, transaction
from django.test import TransactionTestCase

__all__ = ["delete_instead_of_flushing"]

KEPT = frozenset({"auth_permission", "django_content_type", "django_migrations"})


def delete_instead_of_flushing() -> None:
    """Have every test that commits end so, also those of pytest-django's `transactional_db`.

    Its connection stays open for the next test, as after a test that rolls back: to connect again,
    and to read the schema again, takes longer than to delete the rows.
    """
    TransactionTestCase._fixture_teardown = lambda *_: _delete_rows()
    TransactionTestCase._should_reload_connections = lambda *_: False


def _delete_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_names_of_tables_with_rows())
        tables = [name for (name,) in cursor.fetchall()]
        if not tables:
            return
        # Foreign keys are checked when the transaction ends, so the order does not matter.
        with transaction.atomic():
            for table in tables:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@cache
def _names_of_tables_with_rows() -> str:
    """Return the query. It is the same for all tests, since none creates a table here."""
    # Not those of the installed apps: a test may have installed others.
    with connection.cursor() as cursor:
        tables = {*connection.introspection.table_names(cursor)} - KEPT
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
        for table in sorted(tables)
    )
