"""Backends verify in threads of the library, in batches, within a deadline."""

import asyncio

import jwt
import pytest
from django.contrib.auth.models import User

from channels_token_auth.backends.introspection import IntrospectionBackend
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.backends.sources.jwks.key_server import INTERVAL
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.observability.events import VerificationTimedOut, subscribe
from channels_token_auth.testing import frozen_clock
from channels_token_auth.verification.authenticator import Authenticator
from channels_token_auth.verification.lanes.pace import MAX_BATCH
from tests.backends.introspection_server import introspection_server
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, rsa_keys

from .backends import FakeBackend, credential, identity
from .gate import Gate, let_pass, until

THREAD = "channels-token-auth fake"


async def test_verification_runs_in_a_thread_of_its_own(lanes):
    backend = FakeBackend("t0ken")
    assert await Authenticator([backend], timeout=60).authenticate(credential()) == identity()
    assert backend.threads == {THREAD}


@pytest.fixture
def key_server():
    """One that comes to no end, and the backend that has to ask it for a token's key."""
    with jwks_server({"keys": [jwk(rsa_keys()[1], kid="1")]}) as server:
        server.is_open.clear()
        backend = JWTBackend(algorithms=["RS256"], jwks_url=server.url, user=f"{__name__}.anybody")
        claims = {"sub": "1", "exp": 2**33}
        token = jwt.encode(claims, rsa_keys()[0], "RS256", headers={"kid": "1"})
        yield backend, token, lambda: server.asked, server.is_open.set


@pytest.fixture
def authorization_server():
    """One that does not answer, and the backend that has to ask it about a token."""
    with introspection_server() as server:
        server.slow, server.claims["t"] = {"t"}, {"active": True}
        backend = IntrospectionBackend(
            url=server.url, bearer_token="ours", user=f"{__name__}.anybody"
        )
        yield backend, "t", lambda: server.requests, server.is_over.set


def anybody(claims):
    return User(pk=7, is_active=True)


@pytest.mark.parametrize("name", ["key_server", "authorization_server"])
async def test_a_server_that_hangs_holds_up_no_event_loop(lanes, request, name):
    backend, token, asked, answer = request.getfixturevalue(name)
    presented = Credential(location=Location.HEADER, secret=Secret(token))
    verification = asyncio.create_task(Authenticator([backend], timeout=60).authenticate(presented))
    while not asked():  # noqa: ASYNC110 - a server in a thread of its own
        await asyncio.sleep(0.001)
    assert not verification.done()
    answer()
    assert (await verification).user.pk == 7


def signed(number, kid):
    claims = {"sub": "1", "exp": 2**33, "jti": str(number)}
    token = jwt.encode(claims, rsa_keys()[0], "RS256", headers={"kid": kid})
    return Credential(location=Location.HEADER, secret=Secret(token))


async def test_known_key_never_waits_for_the_key_server(lanes):
    with jwks_server({"keys": [jwk(rsa_keys()[1], kid="1")]}) as server, frozen_clock() as clock:
        backend = JWTBackend(algorithms=["RS256"], jwks_url=server.url, user=f"{__name__}.anybody")
        authenticator = Authenticator([backend], timeout=60)
        await authenticator.authenticate(signed(1, kid="1"))
        server.is_open.clear()
        await clock.move(INTERVAL)
        unknown = asyncio.create_task(authenticator.authenticate(signed(2, kid="2")))
        while len(server.asked) < 2:  # noqa: ASYNC110 - a server in a thread of its own
            await asyncio.sleep(0.001)
        assert (await authenticator.authenticate(signed(3, kid="1"))).user.pk == 7
        assert not unknown.done()
        server.is_open.set()
        with pytest.raises(TokenAuthError) as refused:
            await unknown
    assert refused.value.code is CloseReason.TOKEN_INVALID


class Counting:
    """A backend, and how many tokens it was asked about."""

    def __init__(self, backend):
        self._backend = backend
        self.asked = 0

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def authenticate(self, credentials):
        self.asked += len(credentials)
        return self._backend.authenticate(credentials)


@pytest.mark.parametrize("kind", ["jwt", "row"])
async def test_a_jwt_that_was_verified_costs_no_more_than_a_row_that_was(lanes, kind):
    by_secret = JWTBackend(algorithms=["HS256"], key="k" * 32, user=f"{__name__}.anybody")
    signed = jwt.encode({"sub": "1", "exp": 2**33}, "k" * 32, "HS256")
    inner, token = (by_secret, signed) if kind == "jwt" else (FakeBackend("row"), "row")
    backend = Counting(inner)
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=10)
    presented = Credential(location=Location.HEADER, secret=Secret(token))
    first, second = [await authenticator.authenticate(presented) for _ in range(2)]
    assert first.authentication == second.authentication
    assert first.user is not second.user
    assert backend.asked == 1


async def test_under_a_test_runner_the_thread_of_the_transaction_asks():
    backend = FakeBackend("t0ken")
    assert await Authenticator([backend], timeout=60).authenticate(credential()) == identity()
    assert THREAD not in backend.threads


async def test_what_arrives_during_a_batch_is_the_next_batch(lanes):
    gate = Gate()
    backend = FakeBackend("a", "b", "c", before=gate)
    authenticator = Authenticator([backend], timeout=60)
    first = asyncio.create_task(authenticator.authenticate(credential("a")))
    await until(gate.entered)
    others = [asyncio.create_task(authenticator.authenticate(credential(t))) for t in "bc"]
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, *others)
    assert backend.batches == [["a"], ["b", "c"]]


async def test_a_batch_is_bounded(lanes):
    gate = Gate()
    tokens = [str(i) for i in range(MAX_BATCH + 2)]
    backend = FakeBackend(*tokens, before=gate)
    backend.is_local = True
    authenticator = Authenticator([backend], timeout=60)
    asked = [asyncio.create_task(authenticator.authenticate(credential(t))) for t in tokens[:1]]
    await until(gate.entered)
    asked += [asyncio.create_task(authenticator.authenticate(credential(t))) for t in tokens[1:]]
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(*asked)
    assert [len(batch) for batch in backend.batches] == [1, MAX_BATCH, 1]


async def test_a_store_that_hangs_is_unavailable_and_the_next_handshake_gets_a_fresh_thread(
    lanes, monkeypatch
):
    gate = Gate()
    backend = FakeBackend("t0ken", before=gate)
    hung = asyncio.create_task(Authenticator([backend], timeout=30).authenticate(credential()))
    await until(gate.entered)
    let_pass(30, monkeypatch)
    with pytest.raises(TokenAuthError) as refused:
        await hung
    assert refused.value.code is CloseReason.UNAVAILABLE
    assert await Authenticator([backend], timeout=60).authenticate(credential()) == identity()
    gate.opened.set()


async def test_handshakes_that_queued_behind_a_hanging_store_are_served_by_the_fresh_thread(
    lanes, monkeypatch
):
    gate = Gate()
    backend = FakeBackend("t0ken", before=gate)
    hung = asyncio.create_task(Authenticator([backend], timeout=30).authenticate(credential()))
    await until(gate.entered)
    queued = asyncio.create_task(Authenticator([backend], timeout=90).authenticate(credential()))
    await asyncio.sleep(0)
    let_pass(30, monkeypatch)
    with pytest.raises(TokenAuthError):
        await hung
    assert await queued == identity()
    gate.opened.set()


async def test_verification_that_times_out_is_emitted_once(lanes):
    gate, emitted = Gate(), []
    unsubscribe = subscribe(VerificationTimedOut, emitted.append)
    with pytest.raises(TokenAuthError):
        await Authenticator([FakeBackend("t0ken", before=gate)], timeout=0.2).authenticate(
            credential()
        )
    unsubscribe()
    gate.opened.set()
    assert emitted == [VerificationTimedOut(count=1)]
