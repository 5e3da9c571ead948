"""The behaviour of each server on its own is as recorded, and the page matches the record."""

import pytest

from tests.wire.behaviours import BEHAVIOURS, SIZES, answer_to_a_long_token
from tests.wire.matrix import PAGE, page
from tests.wire.record import Record
from tests.wire.servers import Server


@pytest.mark.measured
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_server_behaves_as_recorded(server: Server, record: Record, behaviour: str) -> None:
    record.check(server.kind, "behaviours", behaviour, BEHAVIOURS[behaviour](server))


@pytest.mark.measured
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("location", ["header", "query", "subprotocol"])
def test_long_token_is_refused_as_recorded(
    server: Server, record: Record, location: str, size: str
) -> None:
    seen = answer_to_a_long_token(server, location, size)
    record.check(server.kind, "long tokens", f"{size} in the {location}", seen)


def test_page_is_made_from_the_record(record: Record) -> None:
    stale = "The page is stale. Make it anew: pytest tests/wire --write-matrix"
    assert PAGE.read_text() == page(record), stale
