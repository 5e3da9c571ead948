"""A client that leaves during its handshake is nobody's error: no traceback in the server's log."""

import pytest

from tests.faults.handshakes import CLIENTS, shake_hands
from tests.faults.outages import paused
from tests.services import PostgreSQL
from tests.wire.closing import eventually
from tests.wire.servers import Server


@pytest.mark.parametrize("client", CLIENTS)
def test_client_that_leaves_before_its_refusal_leaves_no_traceback(
    server: Server, store: PostgreSQL, client: str
) -> None:
    printed = len(server.output)
    with paused(store):
        assert eventually(lambda: leaves(server, client), bool)
        shake_hands(server, client, policy="hasty")  # its verdict comes after the other's
    assert "Traceback" not in server.output[printed:]


def leaves(server: Server, client: str) -> bool:
    """Return False where the refusal was quicker than this process."""
    try:
        shake_hands(server, client, policy="hasty", timeout=0.3)
    except TimeoutError:
        return True
    return False
