"""A channel layer, whatever is wrong with it, breaks no handshake, revocation, list or drain."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from rest_framework.authtoken.models import Token

from channels_token_auth import aconnections, arevoke_token, connections, disconnect, revoke_user
from channels_token_auth.cluster import layer as layers
from channels_token_auth.cluster.drain import adrain
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import OutageBegan, OutageEnded, subscribe
from tests.revocation import faulty_layers

HERE = "tests.revocation.faulty_layers"
BROKEN = {
    "missing module": {"BACKEND": "no.such.Layer"},
    "missing class": {"BACKEND": f"{HERE}.NoSuchLayer"},
    "no class at all": {"BACKEND": f"{HERE}.asyncio"},
    "no backend": {"CONFIG": {}},
    "wrong options": {"BACKEND": f"{HERE}.Unbuildable", "CONFIG": {"hosts": []}},
    "raises": {"BACKEND": f"{HERE}.Raising"},
    "hangs": {"BACKEND": f"{HERE}.Silent"},
    "cancels": {"BACKEND": f"{HERE}.Cancelling"},
    "returns nothing": {"BACKEND": f"{HERE}.Synchronous"},
}


@pytest.fixture(params=BROKEN)
def broken(request, site, monkeypatch):
    monkeypatch.setattr(layers, "TIMEOUT", 0.05)
    site.CHANNEL_LAYERS = {"default": BROKEN[request.param]}
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_INTERVAL": 0.1}


@pytest.fixture
def outages():
    seen = []
    ends = [subscribe(kind, seen.append) for kind in (OutageBegan, OutageEnded)]
    yield seen
    for end in ends:
        end()


@pytest.mark.usefixtures("broken")
async def test_handshakes_and_revocations_in_this_process_work(sockets, token, caplog):
    socket = await sockets(token.key)
    assert await socket.stays()
    await arevoke_token(token.key)
    assert await socket.closes() == 4410
    await socket.eventually(lambda: caplog.records)
    assert {each.levelname for each in caplog.records} == {"ERROR"}


@pytest.mark.usefixtures("broken")
async def test_sweeps_go_on(sockets, token):
    socket = await sockets(token.key)
    await Token.objects.filter(key=token.key).aupdate(key="0" * 40)  # no signal is sent
    assert await socket.closes() == 4410


@pytest.mark.usefixtures("broken")
async def test_sockets_of_this_process_are_listed_and_drained(sockets, token):
    socket = await sockets(token.key)
    assert (await aconnections(timeout=60)).total == 1
    drain = await adrain(0)
    assert drain.is_done
    assert socket.code == 4503


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    "act",
    [
        lambda token: token.delete(),
        lambda token: revoke_user(token.user),
        lambda token: disconnect(user=token.user),
        lambda token: connections(timeout=0.1),
        lambda token: async_to_sync(adrain)(None),
    ],
    ids=["delete", "revoke_user", "disconnect", "connections", "drain"],
)
def test_caller_without_an_event_loop_sees_no_error(act, token, monkeypatch, outages):
    monkeypatch.setattr("channels_token_auth.cluster.connections.TIMEOUT", 0.1)
    act(token)
    assert [type(each) for each in outages] == [OutageBegan]


@pytest.mark.usefixtures("broken")
async def test_caller_in_an_event_loop_sees_no_error(token, outages):
    disconnect(user=token.user)
    async with asyncio.timeout(60):
        while not outages:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


def test_outage_names_the_layer_and_what_went_wrong(site, outages, caplog):
    site.CHANNEL_LAYERS = {"default": BROKEN["raises"]}
    for _ in range(3):
        disconnect(connection_id="1")
    (event,) = outages
    assert (event.service, event.name) == ("layer", "default")
    assert event.error == "ConnectionError: connection refused"
    assert [each.levelname for each in caplog.records] == ["ERROR"]


def test_end_of_an_outage_is_logged_and_emitted(site, outages, caplog):
    site.CHANNEL_LAYERS = {"default": BROKEN["raises"]}
    disconnect(connection_id="1")
    site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Shared"}}
    for _ in range(2):
        disconnect(connection_id="1")
    assert [type(each) for each in outages] == [OutageBegan, OutageEnded]
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]


def test_layer_that_comes_and_goes_is_logged_once_a_minute(site, outages, caplog):
    for _ in range(3):
        site.CHANNEL_LAYERS = {"default": BROKEN["raises"]}
        disconnect(connection_id="1")
        site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Shared"}}
        disconnect(connection_id="1")
    assert len(outages) == 6
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]


async def test_layer_that_is_mended_later_is_joined(site, sockets, token, monkeypatch):
    monkeypatch.setattr("channels_token_auth.cluster.subscription.LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(faulty_layers, "Layer", faulty_layers.Unbuildable, raising=False)
    site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Layer"}}
    socket = await sockets(token.key)
    monkeypatch.setattr(faulty_layers, "Layer", faulty_layers.Shared)
    await socket.eventually(lambda: here().channel)


# -- Layers that lose messages


@pytest.fixture
def forgetful(site):
    site.CHANNEL_LAYERS = {"default": {"BACKEND": f"{HERE}.Forgetful"}}


@pytest.mark.usefixtures("forgetful")
async def test_question_is_asked_again_and_answered_over_a_group(sockets, token, monkeypatch):
    """Another process asks: a direct message is lost, and so is its first one to the group."""
    monkeypatch.setattr("channels_token_auth.cluster.requests.deliver", lambda *_: None)
    monkeypatch.setattr("channels_token_auth.cluster.envelope.process_id", _another_each_time())
    socket = await sockets(token.key)
    await socket.eventually(lambda: here().channel)
    found = await aconnections(timeout=30)
    assert (found.total, found.is_complete) == (1, True)


def _another_each_time():
    """No message is taken for this process's own."""
    numbers = iter(range(10**6))
    return lambda: f"process {next(numbers)}"
