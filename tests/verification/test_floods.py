"""A slow or hanging service costs its own tokens time, and no others."""

import asyncio
import threading

import pytest

from channels_token_auth import Location, Revocations
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification.authenticator import Authenticator
from channels_token_auth.verification.lanes import ROWS
from channels_token_auth.verification.scoped import ScopedBackend

from .backends import FakeBackend, credential, identity
from .gate import until
from .odd_caches import Slow, cache


class Local(FakeBackend):
    """Queries rows, and knows its tokens by their shape."""

    is_local = True

    def __init__(self, *tokens, name="local", **values):
        super().__init__(*tokens, name=name, claims=lambda t: t.startswith("row"), **values)

    def revalidate(self, grants):
        return [identity("row", self.name) for _ in grants]


class Remote(FakeBackend):
    """Asks a server that does not answer before it is opened."""

    def __init__(self, *tokens, name="remote"):
        super().__init__(*tokens, name=name, before=self.wait)
        self.entered, self.opened = threading.Event(), threading.Event()

    def wait(self, tokens):
        self.entered.set()
        assert self.opened.wait(60)

    def revalidate(self, grants):
        self.wait([])
        return [identity("far", self.name) for _ in grants]


@pytest.fixture
def remote():
    backend = Remote("far")
    yield backend
    backend.opened.set()


def held(backend, token="row"):
    of = identity(token, backend)
    return Grant(user_pk=of.user.pk, authentication=of.authentication)


async def judge(authenticator, token, **values):
    """Return the identity, or the reason of the refusal."""
    try:
        return await authenticator.authenticate(credential(token, **values))
    except TokenAuthError as error:
        return error.code


async def flood(authenticator, remote, count=400):
    """Present bad tokens that the remote server is asked about. Return their verdicts to come."""
    bad = [asyncio.create_task(judge(authenticator, f"bad{n}")) for n in range(count)]
    await until(remote.entered)
    return bad


@pytest.mark.asvs("15.2.2")
@pytest.mark.parametrize("order", ["remote first", "remote last"])
async def test_flood_of_a_remote_backend_delays_no_login_of_another(lanes, remote, order):
    local = Local("row")
    backends = [remote, local] if order == "remote first" else [local, remote]
    if order == "remote first":
        remote.claims = lambda token: not token.startswith("row")
    authenticator = Authenticator(backends, timeout=60)
    bad = await flood(authenticator, remote)
    assert await authenticator.authenticate(credential("row")) == identity("row", "local")
    assert not any(each.done() for each in bad)
    remote.opened.set()
    assert set(await asyncio.gather(*bad)) == {CloseReason.TOKEN_INVALID}


async def test_flood_of_a_remote_backend_delays_no_other_remote_backend(lanes, remote):
    other = FakeBackend("other", name="other", claims=lambda token: token == "other")
    authenticator = Authenticator([other, remote], timeout=60)
    await flood(authenticator, remote)
    assert await authenticator.authenticate(credential("other")) == identity("other", "other")


async def test_flood_delays_no_sweep_of_another_backend(lanes, remote):
    authenticator = Authenticator([Local("row"), remote], timeout=60)
    await flood(authenticator, remote)
    (verdict,) = await authenticator.revalidate([held("local")])
    assert verdict.authentication.backend == "local"


async def test_server_that_hangs_in_a_sweep_costs_other_tokens_of_the_sweep_nothing(lanes, remote):
    for seconds in (2, 20):  # a slow machine needs longer for the local one
        authenticator = Authenticator([Local("row"), remote], timeout=seconds)
        verdicts = await authenticator.revalidate([held("remote", "far"), held("local")])
        if not isinstance(verdicts[1], TokenAuthError):
            break
    assert verdicts[0].code is CloseReason.UNAVAILABLE
    assert verdicts[1].authentication.backend == "local"


async def test_flood_delays_no_sweep_of_the_same_backend(lanes, remote):
    authenticator = Authenticator([remote], timeout=60)
    await flood(authenticator, remote)
    remote.wait = lambda tokens: None  # the server answers again, while the flood still waits
    (verdict,) = await authenticator.revalidate([held("remote", "far")])
    assert verdict.authentication.backend == "remote"


async def test_equal_backends_of_two_routes_share_a_lane_and_others_do_not(lanes):
    same = [Authenticator([FakeBackend("t")], timeout=60) for _ in range(2)]
    other = Authenticator([FakeBackend("t", name="other")], timeout=60)
    assert same[0].lane_of("fake") == same[1].lane_of("fake") != other.lane_of("other")
    for authenticator in (*same, other):
        await authenticator.authenticate(credential("t"))
    assert sorted(lanes.lengths()) == ["fake", "other"]


async def test_row_backends_share_the_lane_of_rows(lanes):
    backends = Local("row"), Local("row2", name="second")
    authenticator = Authenticator(backends, timeout=60)
    await authenticator.authenticate(credential("row2"))
    assert list(lanes.lengths()) == [ROWS.name]


async def test_function_of_a_site_has_a_lane_of_its_own(lanes):
    """The function may block; its backend still reads rows, and queries the primary."""
    scoped = ScopedBackend(Local("row"), lambda user, authentication: ())
    assert scoped.is_local
    await Authenticator([scoped], timeout=60).authenticate(credential("row"))
    assert ROWS.name not in lanes.lengths()


async def test_token_that_no_backend_recognizes_waits_for_no_lane(lanes):
    with pytest.raises(TokenAuthError) as refused:
        await Authenticator([Local("row")], timeout=60).authenticate(credential("other"))
    assert refused.value.code is CloseReason.TOKEN_INVALID
    assert not lanes.lengths()


async def test_clients_that_are_gone_cost_the_server_no_request(lanes, remote):
    authenticator = Authenticator([remote], timeout=60)
    bad = await flood(authenticator, remote, 20)
    asked = sum(map(len, remote.batches))
    for each in bad:
        each.cancel()
    await asyncio.gather(*bad, return_exceptions=True)
    remote.opened.set()
    await authenticator.authenticate(credential("far"))
    assert sum(map(len, remote.batches)) == asked + 1


async def test_client_that_comes_back_at_that_moment_is_served(lanes, remote):
    authenticator = Authenticator([remote], timeout=60)
    await flood(authenticator, remote, 1)
    gone = asyncio.create_task(authenticator.authenticate(credential("far")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    remote.opened.set()
    # No event loop has run since the errand was dropped, or it still waits: either way it counts.
    assert await authenticator.authenticate(credential("far")) == identity("far", "remote")


# -- The cache of tickets and of the denylist


@pytest.fixture
def slow_cache(settings, monkeypatch):
    monkeypatch.setattr(Slow, "entered", threading.Event())
    monkeypatch.setattr(Slow, "opened", threading.Event())
    settings.CACHES = cache(Slow)
    yield Slow
    Slow.opened.set()


async def test_slow_cache_delays_no_token_that_has_a_row(lanes, slow_cache):
    stateless = Local("rowless", name="stateless")
    stateless.revocations = Revocations.NOWHERE
    authenticator = Authenticator([stateless, Local("row")], timeout=60)
    denied = asyncio.create_task(authenticator.authenticate(credential("rowless")))
    await until(slow_cache.entered)
    assert await authenticator.authenticate(credential("row")) == identity("row", "local")
    (verdict,) = await authenticator.revalidate([held("local")])
    assert verdict.authentication.backend == "local"
    assert not denied.done()
    slow_cache.opened.set()
    assert (await denied).authentication.backend == "stateless"


async def test_flood_of_tickets_delays_no_token(lanes, slow_cache):
    authenticator = Authenticator([Local("row")], timeout=60)
    tickets = [
        asyncio.create_task(judge(authenticator, f"bad{n}", location=Location.TICKET))
        for n in range(50)
    ]
    await until(slow_cache.entered)
    assert await authenticator.authenticate(credential("row")) == identity("row", "local")
    slow_cache.opened.set()
    assert set(await asyncio.gather(*tickets)) == {CloseReason.TOKEN_INVALID}


async def test_ticket_of_a_remote_backend_holds_up_no_other_ticket(lanes, remote):
    authenticator = Authenticator([Local("row"), remote], timeout=60)
    tickets = {
        name: authenticator.tickets.issue(identity(token, name), origin=None)
        for name, token in (("remote", "far"), ("local", "row"))
    }
    presented = {
        name: asyncio.create_task(judge(authenticator, ticket, location=Location.TICKET))
        for name, ticket in tickets.items()
    }
    await until(remote.entered)
    assert (await presented["local"]).authentication.backend == "local"
    assert not presented["remote"].done()
    remote.opened.set()
    assert (await presented["remote"]).authentication.backend == "remote"
