"""Redis fails in every way it can: no revocation is lost, and nobody else is closed."""

import pytest
from redis import Redis as RedisClient

from tests.cluster.fleet import BOUND, NODES, Fleet, eventually
from tests.cluster.outages import hanging_redis, stopped, without_redis
from tests.cluster.tab import Tab

GROUP = "asgi:group:channels_token_auth"
CAPACITY = 100


def client_of(fleet: Fleet) -> RedisClient:
    return RedisClient(port=fleet.redis.port, decode_responses=True)


def codes(tabs: dict[str, Tab]) -> set[int | None]:
    """Return the codes with which they are closed within the promised time."""
    return {tab.closes(BOUND) for tab in tabs.values()}


def test_revocations_before_during_and_after_a_restart_close_every_socket(fleet: Fleet) -> None:
    before, during, after = (fleet.open_everywhere() for _ in range(3))
    other = fleet.open_everywhere()
    fleet.revoke(before["daphne"].person)
    with without_redis(fleet):
        fleet.revoke(during["daphne"].person)
        assert codes(before) | codes(during) == {4410}
    fleet.hears(other)
    fleet.revoke(after["daphne"].person)
    assert codes(after) == {4410}


def test_revocation_right_after_all_connections_were_killed_closes_every_socket(
    fleet: Fleet,
) -> None:
    revoked, other = fleet.open_everywhere(), fleet.open_everywhere()
    with client_of(fleet) as client:
        client.execute_command("CLIENT", "KILL", "SKIPME", "yes")
    fleet.revoke(revoked["daphne"].person)
    assert codes(revoked) == {4410}
    fleet.hears(other)


@pytest.mark.parametrize("whole_fleet", ["core"], indirect=True)
def test_nodes_outlive_their_membership_of_the_group(fleet: Fleet) -> None:
    with client_of(fleet) as client:
        # None: all nodes have paused for so long that the group has expired.
        joined = eventually(lambda: client.zrange(GROUP, -1, -1, withscores=True))[0][1]

        def joined_again() -> bool:
            earliest = client.zrange(GROUP, 0, 0, withscores=True)
            return bool(earliest) and earliest[0][1] > joined + 3

        eventually(joined_again)
    fleet.hears(fleet.open_everywhere())


@pytest.mark.parametrize("node", NODES[1:2])
def test_message_that_a_full_channel_drops_is_not_missed(fleet: Fleet, node: str) -> None:
    revoked, other = fleet.open_everywhere(), fleet.open_everywhere()
    with stopped(fleet, node):
        fleet.site.get(f"/noise/{CAPACITY + 20}")
        fleet.revoke(revoked[node].person)
    assert codes(revoked) == {4410}
    fleet.hears(other)


def test_revocations_while_redis_hangs_close_every_socket(fleet: Fleet) -> None:
    told, silent, other = (fleet.open_everywhere() for _ in range(3))
    with hanging_redis(fleet):
        fleet.revoke(told["daphne"].person)
        fleet.delete(silent["daphne"].person)
        assert codes(told) | codes(silent) == {4410}
    fleet.hears(other)
