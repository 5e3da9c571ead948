"""Every handshake has one right answer, on six servers."""

import itertools

import pytest

from tests.wire.answers import Opened, observe
from tests.wire.handshakes.deviations import DEVIATIONS
from tests.wire.handshakes.table import CASES
from tests.wire.servers import Server

pytestmark = pytest.mark.database

HANDSHAKES = [
    pytest.param(name, client, id=f"{name}, {client}")
    for name, case in CASES.items()
    for client in case.clients
]
_names = (f"handshake-{number}" for number in itertools.count())


@pytest.mark.parametrize(("name", "client"), HANDSHAKES)
def test_handshake_gets_its_one_right_answer(server: Server, name: str, client: str) -> None:
    case, socket_name = CASES[name], next(_names)
    deviation = DEVIATIONS.get(server.kind, {}).get(name)
    expected = deviation.answer if deviation else case.answer
    printed, before = len(server.output), server.probe()
    answer = observe(server, *case.request(socket_name, client))
    after = server.probe()
    assert answer == expected.at(server.kind, browser=case.is_browser(client))
    assert (socket_name in after["events"]) is isinstance(expected, Opened), "it was started"
    queries = case.queries if type(expected) is type(case.answer) else 0
    assert after["queries"] - before["queries"] == queries
    # In a traceback of the library or under it; a server's own may come late, in anybody's time.
    assert "/src/channels_token_auth/" not in server.output[printed:]
