"""Verifications end without reference cycles, which the garbage collector would have to find.

Until it runs, a cycle keeps the token and its user in memory, and each run stops the event loop.
"""

import asyncio
import gc
from contextlib import contextmanager

import pytest

from channels_token_auth.core.credentials import Credential
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import Authenticator

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
    authenticator = Authenticator([FakeBackend("t0ken")], timeout=5)
    with garbage() as found:
        for _ in range(20):
            try:
                await authenticator.authenticate(credential(token))
            except TokenAuthError as error:
                error.__traceback__ = None
        # The lane's thread holds its last batch until it waits for the next one.
        await asyncio.sleep(0.05)
    assert not [each for each in found if isinstance(each, Credential)]
