"""The whole path once, with tiny numbers: database, servers, generator, rounds."""

import pytest

from benchmarks import handshakes
from benchmarks.bench import Bench
from benchmarks.contestants import CONTESTANTS
from benchmarks.databases import database
from benchmarks.generator import compile_load, generating
from benchmarks.server import serving

CYCLES = 20


@pytest.fixture(scope="module")
def filled():
    compile_load()
    with database("sqlite") as made:
        yield made


def test_contestants_are_compared(filled):
    lines = []
    bench = Bench(rounds=1, quick=True, only=("bare", "ours"), say=lines.append)
    panel = handshakes._panel(bench, "uvicorn", filled)
    assert panel.names == ["bare", "ours"]
    assert all(rate > 0 for rate in panel.rounds[0].values())
    assert panel.bases == ("bare",)
    assert "uvicorn, sqlite: round 1/1  ours" in lines


@pytest.fixture(scope="module")
def ours(filled):
    with serving("uvicorn", CONTESTANTS["ours"], filled) as server:
        yield server


def meet(server, contestant, handshakes):
    """What a few clients met."""
    options = {"clients": 4, "cycles": CYCLES, "handshakes": handshakes}
    with generating(server.port, contestant, **options) as load:
        return load.wait_until_settled(20)


def test_generator_counts_whole_cycles(ours):
    report = meet(ours, CONTESTANTS["ours"], None)
    assert report["handshakes"]["count"] == CYCLES
    assert report["told"] == report["failed"] == {}


def test_generator_tells_expected_refusals_from_wrong_ones(ours):
    contestant = CONTESTANTS["ours"]
    bad = contestant.handshakes(bad_of_ten=10)
    assert meet(ours, contestant, bad)["told"] == {"401": CYCLES}
    assert meet(ours, contestant, bad)["wrongly_refused"] == 0
    assert meet(ours, contestant, bad.replace(b"-GET", b"+GET"))["wrongly_refused"] == CYCLES


def test_generator_notices_who_should_not_have_been_admitted(ours):
    good = CONTESTANTS["ours"].handshakes().replace(b"+GET", b"-GET")
    report = meet(ours, CONTESTANTS["ours"], good)
    assert report["wrongly_admitted"] == report["handshakes"]["count"] == CYCLES


def test_server_tells_what_it_holds(ours):
    state = ours.state("collect")
    assert state["rss"] > 2**20
    assert state["tasks"] >= 1
    assert state["descriptors"] > 3
