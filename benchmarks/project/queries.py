"""Count the queries of the process, and delay them as a distant database would."""

import os
import threading
import time
from collections import Counter

from django.db.backends.signals import connection_created

__all__ = ["counts", "watch"]

_lock = threading.Lock()
_in_flight: Counter[str] = Counter()
counts = {
    "sessions": 0,
    "queries": 0,
    "query_seconds": 0.0,
    "in_flight_for_one_token": 0,
    "backend": None,
}
"""The counts since the start. `in_flight_for_one_token`: the most queries for one token at the same
time. `backend`: the process of the last session, if the database has one for each."""


def watch(*, delay: float) -> None:
    """Count, if BENCH_COUNT_QUERIES is set; sleep `delay` seconds in each query."""
    if delay or "BENCH_COUNT_QUERIES" in os.environ:
        _Watch(delay).install()


class _Watch:
    def __init__(self, delay: float) -> None:
        self.delay = delay

    def install(self) -> None:
        connection_created.connect(self._opened, weak=False)

    def _opened(self, connection, **_):
        with _lock:
            counts["sessions"] += 1
            info = getattr(connection.connection, "info", None)
            counts["backend"] = getattr(info, "backend_pid", None)
        if self not in connection.execute_wrappers:  # it has been open before
            connection.execute_wrappers.append(self)

    def __call__(self, execute, sql, params, many, context):
        # Once each: a batch may be filled up with what it has.
        tokens = {each for each in params or () if isinstance(each, str) and len(each) == 40}
        with _lock:
            counts["queries"] += 1
            _in_flight.update(tokens)
            most = max((_in_flight[token] for token in tokens), default=0)
            counts["in_flight_for_one_token"] = max(counts["in_flight_for_one_token"], most)
        began = time.monotonic()
        try:
            if self.delay:
                time.sleep(self.delay)
            return execute(sql, params, many, context)
        finally:
            with _lock:
                counts["query_seconds"] += time.monotonic() - began
                _in_flight.subtract(tokens)
