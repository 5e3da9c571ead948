"""Revocations and lists where threads are greenlets, as in gunicorn's and Celery's gevent pools."""

import subprocess
import sys

import pytest

PROGRAM = """
from gevent import monkey

monkey.patch_all()

import asyncio
from contextlib import suppress

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


other = gevent.spawn({other})
gevent.sleep(0.01)
calls += [gevent.spawn({call}) for _ in range(3)]
gevent.joinall([*calls, other], raise_error=True)
print(len(sent))
"""


def run(call, other):
    program = PROGRAM.replace("{call}", call).replace("{other}", other)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    "call", ["disconnect, address='192.0.2.7'", "connections, backend='drf', timeout=0.3"]
)
def test_greenlets_publish_at_the_same_time_while_others_query(call):
    assert run(call, "query") == ("3\n", "")


@pytest.mark.parametrize("other", ["run_a_loop", "block_a_loop"])
def test_greenlet_publishes_while_the_site_runs_an_event_loop_in_another(other):
    """Its loop ends with what it was started for, and would cancel our message."""
    assert run("disconnect, address='192.0.2.7'", other) == ("3\n", "")


def test_error_that_a_greenlet_handles_is_not_printed():
    assert run("list_too_many", "query") == ("0\n", "")
