"""Faults of a database, each repaired at the end of a `with` block."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.services import PostgreSQL

__all__ = ["drop_sessions", "paused", "stopped"]

DROP = """
    SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@contextmanager
def stopped(store: PostgreSQL) -> Iterator[None]:
    """Its connections end, and nobody gets a new one."""
    store.stop()
    try:
        yield
    finally:
        store.start()


@contextmanager
def paused(store: PostgreSQL) -> Iterator[None]:
    """Its connections stay, new ones are taken, and nothing is answered."""
    store.pause()
    try:
        yield
    finally:
        store.resume()


def drop_sessions(store: PostgreSQL) -> int:
    """End every session from the database's side; answers how many have ended."""
    user, name, host = (store.settings[key] for key in ("USER", "NAME", "HOST"))
    with psycopg.connect(host=host, user=user, dbname=name) as connection:
        (count,) = connection.execute(DROP).fetchone()
        return count
