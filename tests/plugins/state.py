"""Begin each test as a process that has just started, whatever another test has done before it.

The library remembers what it has logged and which services are unavailable: a line that was logged
a moment ago is not logged again. It also remembers which tokens were denied, and flushing the
database or clearing a cache does not change that: a user with the same key would be refused.

The thread of `sync_to_async` outlives its test. A consumer asks a connection that is open there for
its state, which pytest-django forbids in a test without a database. A test that counts threads
finds this one, too.

A request to another server that a test does not wait for would fail in the next test, and log it.
So would a count that processes share.
"""

import sys
import threading
from importlib import import_module
from operator import attrgetter

import pytest

__all__ = ["close_connections_of_the_thread", "wait_for_requests"]

# The names of the threads in which the library sends requests to other servers. The last one waits
# for further counts before it ends.
REQUESTS = tuple(f"channels-token-auth {name}" for name in ("keys", "introspection", "limits"))
IDLE = 0.05
# It ends what hangs only: a request ends by itself after the minute of tests/patience.py.
DEADLINE = 120.0

# Each with the call that makes it forget.
MEMORIES = {
    "backends.outages": ("introspection_outages.reset", "key_outages.reset"),
    "cluster.layer": ("outages.reset",),
    "limits.shared_counters": ("outages.reset",),
    "observability.error_log": ("throttle.reset",),
    "verification.denylist.denylist": ("forget_epochs",),
    "verification.denylist.fresh_tokens": ("first_verified.clear",),
    "verification.denylist.store": ("forget_entries",),
}


# Set if a thread has opened a connection since the last test; at first, to start the thread.
_opened = threading.Event()
_opened.set()


def pytest_sessionstart() -> None:
    # Not imported above: they need Django, which reads the settings.
    import_module("django.db.backends.signals").connection_created.connect(_note)
    import_module("channels_token_auth.limits.shared_counters").IDLE = IDLE


def _note(**_) -> None:
    if threading.current_thread() is not threading.main_thread():
        _opened.set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    for name, calls in MEMORIES.items():
        # Not imported: a run of the core's tests has none of them.
        if module := sys.modules.get(f"channels_token_auth.{name}"):
            for call in calls:
                attrgetter(call)(module)()
    if _opened.is_set():
        _opened.clear()
        close_connections_of_the_thread()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    try:
        return (yield)  # the fixtures end their servers
    finally:
        wait_for_requests()


def wait_for_requests() -> None:
    """Wait until the library has the answers of other servers, and has logged what is wrong."""
    for thread in threading.enumerate():
        if thread.name.startswith(REQUESTS):
            thread.join(DEADLINE)
            assert not thread.is_alive(), thread.name


def close_connections_of_the_thread() -> None:
    """Close the connections that the thread of `sync_to_async` has opened."""
    thread = import_module("asgiref.sync").SyncToAsync.single_thread_executor
    thread.submit(import_module("django.db").connections.close_all).result()
