"""The cache of verified tokens and the verifications under way, as an authenticator uses them."""

import asyncio

import pytest

from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import Authenticator

from .backends import FakeBackend, credential

pytestmark = pytest.mark.usefixtures("lanes")


@pytest.fixture
def backend():
    return FakeBackend("t0ken")


async def test_a_remembered_token_is_not_verified_again(backend):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=10)
    for _ in range(3):
        await authenticator.authenticate(credential())
    assert backend.batches == [["t0ken"]]


async def test_a_remembered_refusal_is_not_asked_for_again(backend):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=10)
    for _ in range(3):
        with pytest.raises(TokenAuthError):
            await authenticator.authenticate(credential("bad"))
    assert backend.batches == [["bad"]]


async def test_with_0_every_handshake_is_verified(backend):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=0)
    for _ in range(3):
        await authenticator.authenticate(credential())
    assert backend.batches == [["t0ken"]] * 3


@pytest.mark.parametrize("verified_cache_seconds", [0, 10])
async def test_a_token_that_many_present_at_once_is_verified_once(backend, verified_cache_seconds):
    authenticator = Authenticator(
        [backend], timeout=60, verified_cache_seconds=verified_cache_seconds
    )
    await asyncio.gather(*(authenticator.authenticate(credential()) for _ in range(20)))
    assert backend.batches == [["t0ken"]]


async def test_each_socket_gets_a_user_of_its_own(backend):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=10)
    at_once = [authenticator.authenticate(credential()) for _ in range(3)]
    identities = [*await asyncio.gather(*at_once), await authenticator.authenticate(credential())]
    for number, each in enumerate(identities):
        each.user.seat = number
    assert [each.user.seat for each in identities] == [0, 1, 2, 3]


async def test_what_is_cleared_is_verified_again(backend):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=10)
    await authenticator.authenticate(credential())
    authenticator.verified.clear()
    await authenticator.authenticate(credential())
    assert len(backend.batches) == 2
