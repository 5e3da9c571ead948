"""A node stands still or is killed: the others go on, and say so."""

import time

import pytest
from redis import Redis as RedisClient

from tests.cluster.fleet import BOUND, Fleet, eventually
from tests.cluster.outages import killed, stopped

SWEEP = 1.0
"""Seconds: the interval of the fleet's sweeps, each of which announces its node."""


def test_revocations_that_a_stopped_node_slept_through_are_honoured_when_it_goes_on(
    fleet: Fleet,
) -> None:
    told, silent = fleet.open_everywhere(), fleet.open_everywhere()
    with stopped(fleet, "daphne"):
        fleet.revoke(told["daphne"].person)
        fleet.delete(silent["daphne"].person)
        awake = [tab for tabs in (told, silent) for kind, tab in tabs.items() if kind != "daphne"]
        assert {tab.closes(BOUND) for tab in awake} == {4410}
    assert {tabs["daphne"].closes(BOUND) for tabs in (told, silent)} == {4410}


def test_stopped_node_is_named_as_one_that_did_not_answer(fleet: Fleet) -> None:
    known = set(fleet.connections()["nodes"])
    with stopped(fleet, "granian"):
        found = fleet.connections()
        assert len(found["nodes"]) == 2
        assert {*found["nodes"], *found["missing"]} == known


@pytest.mark.slow  # it waits for two sweeps, and twice for answers that do not come
def test_answers_that_come_too_late_are_not_kept(fleet: Fleet) -> None:
    for asked in (fleet.nodes["daphne"], fleet.site):
        # A node that has been silent for three sweeps is not expected to answer any more.
        eventually(fleet.is_complete)
        time.sleep(SWEEP)
        with stopped(fleet, "granian"):
            assert asked.get("/auth/connected")["missing"]


def test_threads_of_a_process_may_ask_at_the_same_time(fleet: Fleet) -> None:
    answers = fleet.site.get("/connections-at-once/4")
    assert [(len(each["nodes"]), each["missing"]) for each in answers] == [(3, [])] * 4


def test_sockets_are_counted_by_user_and_node_with_the_closes_of_all(fleet: Fleet) -> None:
    person = fleet.somebody()
    before = fleet.site.get("/overview")
    fleet.open_everywhere(person)
    fleet.open_everywhere(person)
    found = fleet.site.get("/overview")
    assert {each["user_id"]: each["sockets"] for each in found["users"]}[str(person)] == 6
    assert found["nodes"] == {node: count + 2 for node, count in before["nodes"].items()}
    fleet.send_away(person)
    assert eventually(lambda: _closes(fleet) - before["closes"].get("unavailable", 0) == 6)


def _closes(fleet: Fleet) -> int:
    closes: int = fleet.site.get("/overview")["closes"].get("unavailable", 0)
    return closes


def test_killed_node_leaves_nothing_behind(fleet: Fleet) -> None:
    before = fleet.connections()
    fleet.open_everywhere()
    del fleet.bystanders["uvicorn-sansio"]
    with killed(fleet, "uvicorn-sansio"):
        fleet.send_away(fleet.somebody())
        assert fleet.connections()["total"] == before["total"] - 1 + 2
        # Three sweeps later nobody remembers that there was a third.
        eventually(lambda: len(fleet.connections()["nodes"]) == 2 and fleet.is_complete())
        eventually(lambda: len(held_in_redis(fleet)) <= 2)
    fleet.hears(fleet.open_everywhere())


def held_in_redis(fleet: Fleet) -> set[str]:
    """Whatever there is of single nodes."""
    with RedisClient(port=fleet.redis.port, decode_responses=True) as client:
        members = client.zrange("asgi:group:channels_token_auth", 0, -1)
        return {*members, *client.pubsub_channels("*specific*")}
