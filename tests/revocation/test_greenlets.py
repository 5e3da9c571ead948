"""Revocations and lists where threads are greenlets, as in gunicorn's and Celery's gevent pools."""

import json
import subprocess
import sys

import pytest

# Each case has a process of its own, which forks where gunicorn's master does: when the site is
# loaded and nothing has run yet.
PROGRAM = """
from gevent import monkey

monkey.patch_all()

import asyncio
import io
import json
import os
from contextlib import redirect_stderr, suppress
from functools import partial

import gevent

from tests.lone_site import set_up

set_up(
    CHANNEL_LAYERS={"default": {"BACKEND": "__main__.SlowLayer"}},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)

from asgiref.sync import async_to_sync
from django.db import connection

from channels_token_auth import connections, disconnect
from tests.revocation.layer import SharedLayer

calls, sent = [], []


class SlowLayer(SharedLayer):
    async def group_send(self, group, message):
        await asyncio.sleep(0.1)
        sent.append(message)


def query():
    while not calls or not all(each.ready() for each in calls):
        connection.cursor()
        gevent.sleep(0)


def run_a_loop():
    async_to_sync(asyncio.sleep)(0.05)


async def block():
    gevent.sleep(0.05)


def block_a_loop():
    async_to_sync(block)()


def list_too_many():
    with suppress(ValueError):
        connections(limit=5000)


disconnect_all = partial(disconnect, address="192.0.2.7")
CASES = {
    "disconnect": (disconnect_all, query),
    "connections": (partial(connections, backend="drf", timeout=0.3), query),
    "run a loop": (disconnect_all, run_a_loop),
    "block a loop": (disconnect_all, block_a_loop),
    "raise": (list_too_many, query),
}


def run(call, other):
    other = gevent.spawn(other)
    gevent.sleep(0.01)
    calls.extend(gevent.spawn(call) for _ in range(3))
    gevent.joinall([*calls, other], raise_error=True)


for name, case in CASES.items():
    if not os.fork():
        with redirect_stderr(io.StringIO()) as errors:
            run(*case)
        print(json.dumps([name, len(sent), errors.getvalue()]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def results():
    """Return how many messages each case has published, and what it has written to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return {name: tuple(found) for name, *found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("case", ["disconnect", "connections"])
def test_greenlets_publish_at_the_same_time_while_others_query(results, case):
    assert results[case] == (3, "")


@pytest.mark.parametrize("case", ["run a loop", "block a loop"])
def test_greenlet_publishes_while_the_site_runs_an_event_loop_in_another(results, case):
    """Its loop ends with what it was started for, and would cancel our message."""
    assert results[case] == (3, "")


def test_error_that_a_greenlet_handles_is_not_printed(results):
    assert results["raise"] == (0, "")
