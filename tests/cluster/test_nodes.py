"""A node stands still or is killed: the others go on, and say so."""

import pytest
from redis import Redis as RedisClient

from tests.cluster.fleet import BOUND, Fleet, eventually
from tests.cluster.outages import killed, stopped
from tests.wire.servers import Server


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
    def is_named() -> bool:
        """Return False also where another node did not answer in time, or this test was slow."""
        known = set(fleet.whole()["nodes"])
        with stopped(fleet, "granian"):
            found = fleet.connections()
        return len(found["nodes"]) == 2 and {*found["nodes"], *found["missing"]} == known

    assert eventually(is_named)


@pytest.mark.slow  # it waits for two sweeps, and twice for answers that do not come
def test_answers_that_come_too_late_are_not_kept(fleet: Fleet) -> None:
    for asked in (fleet.nodes["daphne"], fleet.site):

        def is_missed(asked: Server = asked) -> bool:
            # A node that has been silent for three sweeps is not expected to answer any more.
            eventually(fleet.is_complete)
            with stopped(fleet, "granian"):
                return bool(asked.get("/auth/connected")["missing"])

        assert eventually(is_missed)


def test_threads_of_a_process_may_ask_at_the_same_time(fleet: Fleet) -> None:
    def all_get_all() -> bool:
        answers = fleet.site.get("/connections-at-once/4")
        return [(len(each["nodes"]), each["missing"]) for each in answers] == [(3, [])] * 4

    assert eventually(all_get_all)


def test_sockets_are_counted_by_user_and_node_with_the_closes_of_all(fleet: Fleet) -> None:
    person = fleet.somebody()
    before = fleet.whole("overview")
    fleet.open_everywhere(person)
    fleet.open_everywhere(person)
    found = fleet.whole("overview")
    assert {each["user_id"]: each["sockets"] for each in found["users"]}[str(person)] == 6
    assert found["nodes"] == {node: count + 2 for node, count in before["nodes"].items()}
    closes = 0
    while closes < 6:  # again, because a node that pauses misses a message
        fleet.send_away(person)
        closes = _closes(fleet) - before["closes"].get("unavailable", 0)
    assert closes == 6


def _closes(fleet: Fleet) -> int:
    closes: int = fleet.whole("overview")["closes"].get("unavailable", 0)
    return closes


def test_killed_node_leaves_nothing_behind(fleet: Fleet) -> None:
    before = fleet.whole()
    fleet.open_everywhere()
    del fleet.bystanders["uvicorn-sansio"]
    with killed(fleet, "uvicorn-sansio"):
        fleet.send_away(fleet.somebody())
        assert eventually(lambda: fleet.connections()["total"] == before["total"] - 1 + 2)
        # Three sweeps later nobody remembers that there was a third.
        eventually(lambda: len(fleet.connections()["nodes"]) == 2 and fleet.is_complete())
        eventually(lambda: len(held_in_redis(fleet)) <= 2)
    fleet.hears(fleet.open_everywhere())


def held_in_redis(fleet: Fleet) -> set[str]:
    """Whatever there is of single nodes."""
    with RedisClient(port=fleet.redis.port, decode_responses=True) as client:
        members = client.zrange("asgi:group:channels_token_auth", 0, -1)
        return {*members, *client.pubsub_channels("*specific*")}
