"""Delete what a test has committed, faster than a flush.

A flush resets every sequence, and then Django creates all permissions again: that takes longer than
most tests. This deletes the rows of each table, except those that Django fills itself.
"""

from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

__all__ = ["delete_instead_of_flushing"]

KEPT = frozenset({"auth_permission", "django_content_type"})


def delete_instead_of_flushing() -> None:
    """Have every test that commits end so, also those of pytest-django's `transactional_db`."""
    TransactionTestCase._fixture_teardown = lambda *_: _delete_rows()


def _delete_rows() -> None:
    models = apps.get_models(include_auto_created=True)
    tables = {model._meta.db_table for model in models if model._meta.managed} - KEPT
    # Foreign keys are checked when the transaction ends, so the order does not matter.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(tables & {*connection.introspection.table_names(cursor)}):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
