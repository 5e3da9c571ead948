"""Many handshakes at once cost few queries, and each gets its own answer."""

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import pytest

from tests.faults.handshakes import shake_hands, welcome
from tests.wire.handshakes.case import INVALID
from tests.wire.project.people import TOKENS
from tests.wire.servers import Server

ACTIVE = [(token, user) for user, token in TOKENS.items() if user != "inactive"]
GOOD = [*islice(cycle(ACTIVE), 20)]
BAD = [(f"f1{number:038}", None) for number in range(200)]


@pytest.mark.asvs("15.2.2")
def test_good_tokens_get_in_and_bad_ones_are_refused_in_few_queries(one_server: Server) -> None:
    flood = random.Random(0).sample(GOOD + BAD, len(GOOD + BAD))
    queries = one_server.queries
    with ThreadPoolExecutor(len(flood)) as pool:
        answers = [*pool.map(lambda each: shake_hands(one_server, token=each[0]), flood)]
    refused = INVALID.at(one_server.kind, browser=False)
    assert answers == [welcome(user=user) if user else refused for _, user in flood]
    assert one_server.queries - queries < len(flood)
