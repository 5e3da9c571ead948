"""Verifications end without reference cycles, which the garbage collector would have to find.

Until it runs, a cycle keeps the token and its user in memory, and each run stops the event loop.
"""

import asyncio
import gc
import time
import weakref
from contextlib import contextmanager

import pytest

from channels_token_auth.core.credentials import Credential
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import Authenticator
from channels_token_auth.verification.lanes import ROWS, Onward, cache_lane, sweep_lane

from .backends import FakeBackend, credential


@contextmanager
def garbage():
    """Collect what only the collector frees of the block, into the list."""
    found = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("token", ["t0ken", "unknown"])
async def test_a_verification_leaves_no_cycle_with_its_token(token, lanes):
    authenticator = Authenticator([FakeBackend("t0ken")], timeout=60)
    with garbage() as found:
        for _ in range(20):
            try:
                await authenticator.authenticate(credential(token))
            except TokenAuthError as error:
                error.__traceback__ = None
        # The lane's thread holds its last batch until it waits for the next one.
        await asyncio.sleep(0.05)
    assert not [each for each in found if isinstance(each, Credential)]


class Presented:
    """Stands for a token that a lane works on."""


@pytest.mark.parametrize("lane", [ROWS, sweep_lane(ROWS), cache_lane("default")])
async def test_an_idle_thread_keeps_nothing_of_its_last_batch(lane, lanes):
    item, answered = Presented(), asyncio.Event()
    kept = weakref.ref(item)
    lanes.ask(Onward(lane, lambda items: [None] * len(items), item), lambda _: answered.set())
    del item
    await answered.wait()
    deadline = time.monotonic() + 60
    while kept() is not None and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)
    assert lanes.lane(lane).is_running
    assert kept() is None
