"""Each handshake has one correct answer, whichever server it is sent to."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wire.answers import Opened, observe
from tests.wire.handshakes.deviations import DEVIATIONS, deviation
from tests.wire.handshakes.table import CASES, ON_EACH_SERVER
from tests.wire.servers import KINDS, Server

# The answers are the library's. Servers differ in how they pass on what a client sent: so one
# server gets the whole table, and the others the rows in which they may differ.
WHOLE_TABLE = "granian"
_names = (f"handshake-{number}" for number in itertools.count())


def _handshakes() -> Iterator[Any]:
    """Yield each server with each row. The gate runs those that are not marked `measured`."""
    deviating = {name for deviations in DEVIATIONS.values() for name in deviations}
    for kind, (name, case) in itertools.product(KINDS, CASES.items()):
        marks = []
        if kind != WHOLE_TABLE and name not in ON_EACH_SERVER | deviating:
            marks = [pytest.mark.measured]
        elif kind == WHOLE_TABLE and name in ON_EACH_SERVER and case.queries:
            marks = [pytest.mark.database]  # it decides how many queries a handshake takes
        for client in case.clients:
            yield pytest.param(kind, name, client, marks=marks, id=f"{kind}, {name}, {client}")


@pytest.mark.parametrize(("server", "name", "client"), [*_handshakes()], indirect=["server"])
@pytest.mark.asvs("2.2.2", "2.2.3", "15.3.7")
def test_handshake_gets_its_one_correct_answer(server: Server, name: str, client: str) -> None:
    case, socket_name = CASES[name], next(_names)
    own = deviation(server.kind, name)
    expected = own.answer if own else case.answer
    printed, before = len(server.output), server.queries
    answer = observe(server, *case.request(socket_name, client))
    after = server.seen(socket_name)
    assert answer == expected.at(server.kind, browser=case.is_browser(client))
    assert bool(after["events"]) is isinstance(expected, Opened), "it was started"
    queries = case.queries if type(expected) is type(case.answer) else 0
    assert after["queries"] - before == queries
    # Lines of the library only: a server may print its own traceback late, in another test.
    assert "/src/channels_token_auth/" not in server.output[printed:]
