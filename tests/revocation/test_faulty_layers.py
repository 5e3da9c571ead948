"""Channel layers that fail harm neither a node nor a caller that queries the nodes."""

import asyncio

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token

from channels_token_auth import connections
from channels_token_auth.cluster import layer as layers
from channels_token_auth.cluster.requests import answered, asking
from channels_token_auth.node.node import here
from tests.node.messages import sealed
from tests.revocation import faulty_layers
from tests.threads import in_thread

pytestmark = pytest.mark.usefixtures("layer")


@pytest.fixture
def layer(request, site):
    """The class of the layer that the test names: fresh, since these count what befalls them."""
    kind = type("Layer", (getattr(faulty_layers, request.param),), {"channels": 0})
    faulty_layers.Layer = kind
    site.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.revocation.faulty_layers.Layer"}}
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_INTERVAL": 0.1}
    return kind


def behind_all_backs(key):
    """Raw SQL, of which no signal tells."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Token._meta.db_table} WHERE key = %s", [key])


@pytest.mark.parametrize("layer", ["Hanging"], indirect=True)
async def test_layer_that_hangs_holds_up_no_sweep(sockets, token, layer, monkeypatch):
    monkeypatch.setattr(layers, "TIMEOUT", 0.05)
    socket = await sockets(token.key)
    await socket.eventually(lambda: layer.joined > 1)
    await in_thread(behind_all_backs, token.key)
    assert await socket.closes() == 4410


@pytest.mark.parametrize("layer", ["Failing"], indirect=True)
async def test_node_that_lost_its_layer_listens_where_it_did_before(sockets, token, layer):
    socket = await sockets(token.key)
    await socket.eventually(lambda: layer.failures == 2)
    assert layer.channels == 1
    await layer().group_send(layers.GROUP, sealed(close_message(token)))
    assert await socket.closes() == 4503


def close_message(token):
    """Return the message of another process that closes the sockets of the token's user."""
    target = {"user_id": str(token.user_id)}
    return {"kind": "revoke", "revocations": [{"target": target, "code": "unavailable"}]}


@pytest.mark.parametrize("layer", ["Shared"], indirect=True)
async def test_node_that_asks_opens_no_channel_for_it(sockets, token, layer):
    await sockets(token.key)
    await _listening()
    async with asking({"kind": "other", "node": None}):
        await asyncio.sleep(0.05)
    assert layer.channels == 1


@pytest.mark.parametrize("layer", ["Shared"], indirect=True)
async def test_node_is_answered_by_other_processes_until_it_stops_to_ask(sockets, token, layer):
    await sockets(token.key)
    await _listening()
    theirs = await layer.inner.new_channel()
    await layer.inner.group_add(layers.GROUP, theirs)
    async with asyncio.timeout(60), asking({"kind": "other"}) as answers:
        while (question := await layer.inner.receive(theirs)).get("kind") != "other":
            pass
        answer = sealed({"kind": "answer", "answers": question["question"]})
        await layer.inner.group_send(question["reply_to"], answer)
        assert (await answers.get())["kind"] == "answer"
    answered(answer)
    assert answers.empty()


@pytest.mark.parametrize("layer", ["OfOneLoop"], indirect=True)
async def test_other_threads_ask_on_layers_of_their_own_and_close_them(
    sockets, token, layer, caplog
):
    await sockets(token.key)
    await _listening()
    asked = [in_thread(connections, timeout=60) for _ in range(3)]
    assert [found.total for found in await asyncio.gather(*asked)] == [1, 1, 1]
    assert layer.closed == 3
    assert not caplog.records


@pytest.mark.parametrize("layer", ["Shared"], indirect=True)
async def test_other_threads_ask_on_a_layer_that_serves_them_all(sockets, token, layer):
    await sockets(token.key)
    await _listening()
    assert (await in_thread(connections, timeout=60)).total == 1
    assert layer.channels == 2


async def _listening():
    """Until the node has its channel."""
    async with asyncio.timeout(60):
        while here().channel is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("layer", ["Gone"], indirect=True)
def test_who_asks_while_the_layer_is_away_gets_no_answers_and_no_error(layer, caplog):
    found = connections(timeout=0.1)
    assert (found.total, found.is_complete) == (0, False)
    assert [each.levelname for each in caplog.records] == ["ERROR"]
