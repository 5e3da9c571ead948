"""Revocations and lists where threads are greenlets, as in gunicorn's and Celery's gevent pools."""

import subprocess
import sys

import pytest

PROGRAM = """
from gevent import monkey

monkey.patch_all()

import asyncio

import django
import gevent
from django.conf import settings

settings.configure(
    SECRET_KEY="k" * 50,
    CHANNELS_TOKEN_AUTH={
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]
    },
    CHANNEL_LAYERS={"default": {"BACKEND": "__main__.SlowLayer"}},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework.authtoken",
        "channels_token_auth",
    ],
)
django.setup()

from django.db import connection

from channels_token_auth import connections, disconnect
from tests.revocation.layer import SharedLayer

sent = []


class SlowLayer(SharedLayer):
    async def group_send(self, group, message):
        await asyncio.sleep(0.1)
        sent.append(message)


def query():
    while not all(each.ready() for each in calls):
        connection.cursor()
        gevent.sleep(0)


calls = [gevent.spawn({call}) for _ in range(3)]
gevent.joinall([*calls, gevent.spawn(query)], raise_error=True)
print(len(sent))
"""


@pytest.mark.parametrize(
    "call", ["disconnect, address='192.0.2.7'", "connections, backend='drf', timeout=0.3"]
)
def test_greenlets_publish_at_the_same_time_while_others_query(call):
    command = [sys.executable, "-c", PROGRAM.replace("{call}", call)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")
