"""What a channel layer may do to a node: not much."""

import asyncio

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token

from tests.revocation import faulty_layers

pytestmark = pytest.mark.usefixtures("layer")


@pytest.fixture
def layer(request, site):
    """The class of the layer that the test names: fresh, since these count what befalls them."""
    kind = type("Layer", (getattr(faulty_layers, request.param),), {})
    faulty_layers.Layer = kind
    site.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.revocation.faulty_layers.Layer"}}
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "SWEEP_INTERVAL": 0.1}
    return kind


def behind_all_backs(key):
    """Raw SQL, of which no signal tells."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Token._meta.db_table} WHERE key = %s", [key])


@pytest.mark.parametrize("layer", ["Hanging"], indirect=True)
async def test_layer_that_hangs_holds_up_no_sweep(sockets, token, layer):
    socket = await sockets(token.key)
    await socket.eventually(lambda: layer.joined > 1)
    await asyncio.to_thread(behind_all_backs, token.key)
    assert await socket.closes() == 4410
