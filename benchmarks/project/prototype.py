"""The least that a middleware must do for a token: the library's query, and nothing else.

It takes the key from the header, looks it up in a batch, puts the user into the scope, and starts
the application. It has no limits, no events, no expiry, no revocation and no first message, and
hides no token. The library's time divided by its time is the price of these features. It caches
users for as long as the library caches its verdicts.
"""

import asyncio
import os
import threading
from collections import deque
from time import monotonic

from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.lookup import Lookup
from channels_token_auth.backends.sources.user_columns import UserColumns
from channels_token_auth.backends.sources.users.private_copies import private_copy

__all__ = ["prototype"]

CACHE_SECONDS = float(os.environ.get("BENCH_VERIFIED_CACHE_SECONDS", "10"))
BATCH = 128

_users = UserColumns(lambda: Token)
_rows = Lookup(lambda: Token.objects, "key", lambda rows: _users.select(rows, "key"))
_known = {}


class Batches:
    """Looks keys up in one thread. A batch has the keys that arrived during the batch before."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._queue = deque()
        self._changed = threading.Semaphore(0)
        threading.Thread(target=self._work, daemon=True).start()

    def user(self, key):
        future = self._loop.create_future()
        self._queue.append((key, future))
        self._changed.release()
        return future

    def _work(self):
        while True:
            self._changed.acquire()
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if batch:
                found = _rows.find({key for key, _ in batch})
                users = {key: _users.user(columns) for key, *columns in found}
                self._loop.call_soon_threadsafe(self._answer, batch, users)

    def _answer(self, batch, users):
        for key, future in batch:
            if not future.done():
                future.set_result(users.get(key))


def prototype(application):
    """Wrap an application."""
    batches = None

    async def authenticated(scope, receive, send):
        nonlocal batches
        batches = batches or Batches()
        value = dict(scope["headers"]).get(b"authorization", b"")
        key = value.removeprefix(b"Bearer ").decode()
        known = _known.get(key)
        if known is None or known[0] < monotonic():
            known = monotonic() + CACHE_SECONDS, await batches.user(key)
            if CACHE_SECONDS:
                _known[key] = known
        if known[1] is None:
            await receive()
            await send({"type": "websocket.close"})
        else:
            scope = {**scope, "user": private_copy(known[1])}
            await application(scope, receive, send)

    return authenticated
