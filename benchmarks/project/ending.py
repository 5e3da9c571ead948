"""Revoke tokens as a contestant's site would: in the server's process, or as a separate process.

Run as a module, it answers each line of its standard input. A question names the kind of call and
the numbers of the people, in JSON. The answer has the time when each call began, and the time when
the last one returned.
"""

import json
import os
import sys
import time
import urllib.request
from urllib.parse import urlencode

from asgiref.sync import async_to_sync, sync_to_async

if __name__ == "__main__":
    import django

    django.setup()

from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from benchmarks.people import key, logout_token
from benchmarks.project.kick import kick
from channels_token_auth import revoke_token, revoke_user

__all__ = ["here"]


def kick_user(number):
    """Close the sockets of a person, without revoking anything."""
    async_to_sync(kick)(key(number))


def kick_token(number):
    """Delete a token, and close its sockets."""
    Token.objects.filter(key=key(number)).delete()
    async_to_sync(kick)(key(number))


def log_out(number):
    """Post a logout token to a node, as an identity provider does."""
    body = urlencode({"logout_token": logout_token(number)}).encode()
    url = f"http://127.0.0.1:{os.environ['BENCH_PORT']}/auth/backchannel-logout/"
    urllib.request.urlopen(url, body, timeout=30).close()


WAYS = {
    "logout": {"user": log_out},
    "kick": {"user": kick_user, "token": kick_token},
    "ours": {
        "user": lambda number: revoke_user(User(pk=number + 1)),
        "token": lambda number: revoke_token(key(number)),
    },
}


def answer(question):
    """Make the calls one after the other. "again": create the deleted tokens again."""
    what, numbers = json.loads(question)
    if what == "again":
        tokens = [Token(user_id=number + 1, key=key(number)) for number in numbers]
        Token.objects.bulk_create(tokens, ignore_conflicts=True)
        return {}
    way = "kick" if os.environ["BENCH_APPLICATION"] == "kick" else "ours"
    end = WAYS[os.environ.get("BENCH_WAY", way)][what]
    began = []
    for number in numbers:
        began.append(time.monotonic())
        end(number)
    return {"began": began, "returned": time.monotonic()}


here = sync_to_async(answer)
"""Answer GET /end: revoke in this process, as a view would."""

if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
