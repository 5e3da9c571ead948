"""Nodes learn of each other. Here another one is played, by its messages over the layer."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from channels_token_auth import CloseReason, aconnections
from channels_token_auth.cluster import connections as module
from channels_token_auth.cluster.layer import GROUP
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.node import here
from tests.connection.turns import rest
from tests.node.messages import sealed

LAYER = {"default": {"BACKEND": "tests.revocation.layer.SharedLayer"}}


@pytest.fixture
def layer(settings):
    settings.CHANNEL_LAYERS = LAYER
    return get_channel_layer()


async def test_new_node_learns_of_the_others_before_their_next_sweep(sockets, token, layer):
    await sockets(token.key)
    await _hears(layer, 1)
    await layer.group_send(GROUP, sealed({"kind": "announce", "node": "new"}))
    await layer.group_send(GROUP, sealed({"kind": "announce", "node": "newer"}))
    await _hears(layer, 2)
    await layer.group_send(GROUP, sealed({"kind": "announce", "node": "new"}))
    await _hears(layer, 2)
    for seconds in (1, 10):  # these never answer, and a slow machine's own node may need longer
        if (found := await aconnections(timeout=seconds)).nodes:
            break
    assert found.missing == ["new", "newer"]


async def test_node_that_knows_nobody_does_not_pass_for_all(sockets, token, layer, monkeypatch):
    """As one that was stopped for long: it may be the first to answer."""
    await sockets(token.key)
    monkeypatch.setattr(module, "SETTLED", 60.0)
    asked = asyncio.create_task(aconnections(timeout=60))
    async with asyncio.timeout(60):
        while not (asks := [each for each in layer.said if each["kind"] == "list"]):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
    alone = {"peers": [], "total": 0, "connections": [], "is_draining": False, "failed_sweeps": 0}
    answer = {"kind": "answer", "node": "other", "answers": asks[0]["question"], **alone}
    await rest(0.05)  # now our own node has answered, and the others have 60 s
    monkeypatch.setattr(module, "SETTLED", 0.0)  # after the next answer
    await layer.group_send(asks[0]["reply_to"], sealed(answer))
    assert set((await asked).nodes) == {"other", here().name}


async def test_node_joins_a_drain_that_was_requested_before_it_was_there(sockets, token, layer):
    drain = {"question": "q", "node": None, "over": 0.0, "age": 0.0}
    news = {"kind": "announce", "node": "other", "drains": [drain]}
    await sockets(token.key)
    await layer.group_send(GROUP, sealed(news))
    async with asyncio.timeout(60):
        while not here().drain.is_on:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


async def _hears(layer, times):
    """Our node has said so often that it is there: not once for each that is new."""
    name = here().name

    def said():
        return len([each for each in layer.said if each.get("node") == name])

    async with asyncio.timeout(60):
        while said() < times:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.6)
    assert said() == times


@pytest.mark.parametrize(
    "odd",
    [
        {"target": {"newer": 1}, "code": "token_revoked"},
        {"target": {}, "code": "newer_code"},
        {"code": "token_revoked"},
        {"target": {}, "code": "token_revoked", "deadline": "soon"},
        None,
    ],
)
async def test_revocation_that_cannot_be_read_hides_no_other(odd, sockets, token, ada):
    """As during a rolling deploy, when a node of a newer version revokes."""
    socket = await sockets(token.key)
    readable = Revocation(target=Target(user_id=str(ada.pk)), code=CloseReason.TOKEN_REVOKED)
    here().handle({"kind": "revoke", "revocations": [odd, readable.to_message()]})
    assert await socket.closes() == 4410
