"""The whole path once, with tiny numbers: database, servers, generator, rounds."""

import json
import shutil
import time

import pytest

from benchmarks import attack, connections, cost, everything, frames, handshakes, logout, revocation
from benchmarks.bench import Bench
from benchmarks.commands import commands_of_a_handshake
from benchmarks.contestants import CONTESTANTS
from benchmarks.databases import database
from benchmarks.generator import compile_load, generating
from benchmarks.project.everything import features
from benchmarks.server import serving
from benchmarks.site import LAYERS, site
from benchmarks.sweep import open_and_sweep
from tests.docs.pages import ROOT

pytestmark = pytest.mark.measured
CYCLES = 20


@pytest.fixture(scope="module", autouse=True)
def _generator():
    compile_load()  # also for a test that runs alone


@pytest.fixture(scope="module")
def filled():
    with database("sqlite") as made:
        yield made


def test_frames_are_counted():
    (panel,) = frames.run(Bench(rounds=1, quick=True, say=lambda _: None))
    assert all(nanoseconds > 0 for nanoseconds in panel.rounds[0].values())


@pytest.mark.slow  # silent clients are closed after AUTH_TIMEOUT
def test_good_users_are_served_while_hostile_ones_are_refused():
    server, nobody = ("uvicorn",), lambda _: None
    bench = Bench(rounds=1, quick=True, servers=server, only=("ours",), say=nobody)
    panels = {panel.title: panel for panel in attack.run(bench)}
    handshakes = panels["p99 of good users' handshakes, uvicorn"]
    assert handshakes.names == ["quiet", "attacked"]
    assert handshakes.facts["quiet"]["refused good users"] == "0"
    assert "foreign page" in handshakes.note
    costs = panels["CPU time of one hostile client, by what it does, uvicorn"]
    assert all(microseconds > 0 for microseconds in costs.rounds[0].values())


def test_contestants_are_compared(filled):
    lines = []
    bench = Bench(rounds=1, quick=True, only=("bare", "ours"), say=lines.append)
    panel = handshakes.panel(bench, "uvicorn", filled)
    assert panel.names == ["bare", "ours"]
    assert all(rate > 0 for rate in panel.rounds[0].values())
    assert panel.bases == ("bare",)
    assert "uvicorn, sqlite: round 1/1  ours" in lines


def test_code_of_another_checkout_is_served(filled, tmp_path):
    (tmp_path / "src").symlink_to(ROOT / "src")
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")
    state = tmp_path / "benchmarks" / "project" / "state.py"
    state.write_text("async def state(question):\n    return {'checkout': __file__}\n")
    with serving("uvicorn", CONTESTANTS["ours"].before(tmp_path), filled) as server:
        assert server.state() == {"checkout": str(state)}


@pytest.mark.slow  # starts four servers, two of them to be counted and profiled
def test_the_cost_of_a_handshake_is_counted_and_profiled():
    only = ("stock", "ours-stock")
    bench = Bench(rounds=1, quick=True, only=only, servers=("uvicorn",), say=lambda _: None)
    costs, *profiles = cost.run(bench)
    assert costs.names == ["stock", "ours-stock"]
    assert all(microseconds > 0 for microseconds in costs.rounds[0].values())
    assert float(costs.facts["ours-stock"]["tasks"]) >= 2
    names = profiles[1].rounds[0]
    assert any(name.startswith("channels_token_auth/") for name in names)


def test_everything_on_is_compared_with_everything_off(filled):
    names = ["ours-all-off", "ours-all-on"]
    bench = Bench(rounds=1, quick=True, only=tuple(names), say=lambda _: None)
    panel = handshakes.panel(bench, "uvicorn", filled)
    assert (panel.names, panel.bases) == (names, ("ours-all-off",))
    assert all(rate > 0 for rate in panel.rounds[0].values())


@pytest.mark.slow  # starts four servers, two of them to be profiled
def test_what_features_add_is_measured_and_counted():
    only = ("ours-all-off", "ours-all-on")
    bench = Bench(rounds=1, quick=True, only=only, servers=("uvicorn",), say=lambda _: None)
    costs, totals, calls, times = everything.run(bench)
    assert all(microseconds > 0 for microseconds in costs.rounds[0].values())
    assert totals.rounds[0]["ours-all-on"] > totals.rounds[0]["ours-all-off"] > 100
    for added in (calls, times):
        assert any(name.startswith("channels_token_auth/limits/") for name in added.names)


def test_log_lines_are_written_in_each_handshake(filled):
    contestant = CONTESTANTS["ours-log-lines"]
    with serving("uvicorn", contestant, filled) as server:
        cost.churn(server, contestant, 10)
        server.ask("profile", "start")
        cost.churn(server, contestant, 10)
        calls = server.ask("profile")["calls"]
    # One as each socket opens. The others are written after the closes, which it does not wait for.
    assert sum(count for name, count in calls.items() if name.endswith(" info")) >= 10


def test_unknown_feature_is_refused():
    with pytest.raises(ValueError, match="idel"):
        features("audit,idel")


@pytest.fixture(scope="module")
def ours(filled):
    with serving("uvicorn", CONTESTANTS["ours"], filled) as server:
        yield server


def meet(server, contestant, handshakes):
    """Return the generator's report on a few clients."""
    options = {"clients": 4, "cycles": CYCLES, "handshakes": handshakes}
    with generating(server.port, contestant, **options) as load:
        return load.wait_until_settled(120)


def test_generator_counts_whole_cycles(ours):
    report = meet(ours, CONTESTANTS["ours"], None)
    assert report["handshakes"]["count"] == CYCLES
    assert report["told"] == report["failed"] == {}


def test_generator_distinguishes_expected_refusals_from_wrong_ones(ours):
    contestant = CONTESTANTS["ours"]
    bad = contestant.handshakes(bad_of_ten=10)
    assert meet(ours, contestant, bad)["told"] == {"401": CYCLES}
    assert meet(ours, contestant, bad)["wrongly_refused"] == 0
    assert meet(ours, contestant, bad.replace(b"-GET", b"+GET"))["wrongly_refused"] == CYCLES


def test_refused_clients_that_stay_do_not_come_again(ours):
    contestant = CONTESTANTS["ours"]
    bad = contestant.handshakes(bad_of_ten=10)
    options = {"clients": 6, "arrive": 0.2, "then": "stay", "handshakes": bad}
    with generating(ours.port, contestant, **options) as load:
        assert load.wait_until_settled(120)["told"] == {"401": 6}


def test_generator_notices_who_should_not_have_been_admitted(ours):
    good = CONTESTANTS["ours"].handshakes().replace(b"+GET", b"-GET")
    report = meet(ours, CONTESTANTS["ours"], good)
    assert report["wrongly_admitted"] == report["handshakes"]["count"] == CYCLES


def test_server_reports_what_it_holds(ours):
    state = ours.state("collect")
    assert state["rss"] > 2**20
    assert state["tasks"] >= 1
    assert state["descriptors"] > 3


def test_generator_reports_when_the_server_closed_which_socket(ours):
    contestant = CONTESTANTS["ours"]
    options = {"clients": 6, "closes": 4, "then": "stay"}
    handshakes = contestant.handshakes(people=3)
    with generating(ours.port, contestant, handshakes=handshakes, **options) as load:
        load.wait_until_settled(120)
        began = time.monotonic()
        for number in (0, 2):
            ours.ask("end", json.dumps(["token", [number]]))
        report = load.wait_until_closed(120)
    ours.ask("end", json.dumps(["again", [0, 2]]))  # the other tests' tokens too
    assert sorted(request for request, _ in report["ends"]) == [0, 0, 2, 2]
    assert all(began < moment < time.monotonic() for _, moment in report["ends"])
    assert report["told"] == {"4410": 4}
    assert report["open"] == 2


def test_revocation_is_measured_without_a_kick_that_never_ends(filled):
    case = revocation.Case(layer="in memory", nodes=1, sockets=3, rivals=False)
    bench = Bench(rounds=1, quick=True, only=("kick", "ours"), say=lambda _: None)
    found = revocation.measure(bench, "uvicorn", case, filled=filled, rounds=1)
    panel = revocation.panel("uvicorn", case, found)
    assert (panel.names, panel.bases) == (["ours"], ())


@pytest.mark.parametrize("tokens", [1, 3])
@pytest.mark.parametrize("layer", LAYERS)
def test_revocation_is_compared_with_a_kick(filled, layer, tokens):
    nodes = 1 if layer == "in memory" else 2
    case = revocation.Case(layer=layer, nodes=nodes, sockets=3, tokens=tokens)
    bench = Bench(rounds=1, quick=True, only=("kick", "ours"), say=lambda _: None)
    found = revocation.measure(bench, "uvicorn", case, filled=filled, rounds=1)
    panel = revocation.panel("uvicorn", case, found)
    assert panel.names == ["kick", "ours"]
    assert panel.bases == ("kick",)
    assert {name: len(each["waited"]) for name, each in found[0].items()} == dict.fromkeys(
        panel.names, 3 * nodes
    )
    assert all(facts["lost"] == "0" for facts in panel.facts.values())


def test_logout_at_a_provider_is_compared_with_revoke_user(filled):
    case = revocation.Case(layer="Redis", nodes=2, sockets=3)
    bench = Bench(rounds=2, quick=True, say=lambda _: None)
    options = {"filled": filled, "rounds": 2, "names": logout.NAMES}
    found = revocation.measure(bench, "uvicorn", case, **options)
    panel = revocation.panel("uvicorn", case, found, base="revoke-user")
    assert (panel.names, panel.bases) == (["revoke-user", "logout"], ("revoke-user",))
    assert [len(each["waited"]) for results in found for each in results.values()] == [6] * 4


@pytest.mark.parametrize(("name", "least", "most"), [("kick", 3, 9), ("ours", -0.5, 0.5)])
def test_commands_of_a_handshake_are_counted(filled, name, least, most):
    contestant = CONTESTANTS[name]
    with site("uvicorn", contestant, "Redis", nodes=1, filled=filled) as made:
        count, words = commands_of_a_handshake(contestant, made, handshakes=20)
    assert least <= count <= most, words
    assert ("20 zadd" in words) == (name == "kick")


def test_sweep_is_timed(filled):
    sweeps = open_and_sweep(CONTESTANTS["ours"], "uvicorn", filled, sockets=5, rounds=2)
    assert [each["queries"] for each in sweeps] == [1, 1]
    assert all(0 < each["waited"] < each["seconds"] for each in sweeps)
    assert all(each["stall"] >= 0 for each in sweeps)


@pytest.mark.parametrize("policy", connections.POLICIES)
def test_limit_on_sockets_is_reached(filled, policy):
    who = connections.limited(policy)
    with site("uvicorn", who, "Redis", nodes=2, filled=filled) as two:
        reached = connections.reach(two, who, range(5), policy)
    assert len(reached.after) == 5
    assert 0 <= reached.percentile(50) <= max(reached.after) < 5000
