"""One user's sockets over three nodes: whatever happens, no more than the limit stay open."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.fleet import BOUND, NODES, Fleet, eventually
from tests.cluster.outages import killed, without_redis
from tests.cluster.people import key
from tests.cluster.tab import Tab
from tests.wire.client import Refusal, Socket, handshake
from tests.wire.handshakes.case import bearer

LIMIT = 3
"""The limit of the routes `limited-refuse` and `limited-oldest`, for each user."""

SWEEP = 1.0
SETTLED = 0.5
"""Seconds until all nodes know of a socket, on a busy machine."""


def attempt(fleet: Fleet, person: int, node: str, route: str = "refuse") -> Tab | None:
    """A socket on the route; None where it was refused."""
    path = f"/limited-{route}/bare/tab"
    answer = handshake(fleet.nodes[node].port, path, [bearer(key(person))])
    if isinstance(answer, Refusal):
        # 403: daphne has no other answer.
        assert answer.status in (429, 403)
        assert answer.status == 403 or int(answer.headers["retry-after"]) > 0
        return None
    assert isinstance(answer, Socket)
    fleet.tabs.append(Tab(answer, person))
    return fleet.tabs[-1]


def left(tabs: Sequence[Tab | None]) -> list[Tab]:
    """Return the open tabs. Asserts that all others were closed with 4429."""
    found = [tab for tab in tabs if tab and not tab.has_ended()]
    assert {tab.code for tab in tabs if tab and tab not in found} <= {4429}
    return found


def settles(tabs: Sequence[Tab | None], count: int = LIMIT) -> list[Tab]:
    """Wait until so many tabs are open, and return those that stay open."""
    eventually(lambda: len(left(tabs)) == count)
    time.sleep(SETTLED)
    found = left(tabs)
    assert len(found) == count
    assert all(tab.answers() for tab in found)
    return found


def is_admitted(fleet: Fleet, person: int, node: str) -> bool:
    """Return whether a new socket of this person stays open on the node."""
    tab = attempt(fleet, person, node)
    time.sleep(SETTLED)
    return tab is not None and not tab.has_ended()


def is_refused(fleet: Fleet, person: int, node: str) -> bool:
    """Return True once a socket that is opened there was refused, or closed when nodes agreed."""
    tab = attempt(fleet, person, node)
    return tab is None or bool(eventually(tab.has_ended))


@pytest.mark.slow
@pytest.mark.parametrize("route", ["refuse", "oldest"])
@pytest.mark.asvs("2.3.2")
def test_of_many_at_once_exactly_the_limit_stays_open(fleet: Fleet, route: str) -> None:
    person = fleet.somebody()
    with ThreadPoolExecutor(6) as pool:
        opening = [pool.submit(attempt, fleet, person, node, route) for node in NODES * 4]
    settles([each.result() for each in opening])


@pytest.mark.slow
def test_newest_is_refused_on_every_node_until_one_is_closed(fleet: Fleet) -> None:
    person = fleet.somebody()
    tabs = [attempt(fleet, person, node) for node in NODES]
    settles(tabs)
    assert all(is_refused(fleet, person, node) for node in NODES)
    assert len(left(tabs)) == LIMIT
    settles(tabs)[0].socket.drop()
    eventually(lambda: is_admitted(fleet, person, NODES[-1]))


@pytest.mark.slow
def test_oldest_makes_way_on_whichever_node_it_is(fleet: Fleet) -> None:
    person = fleet.somebody()
    tabs = []
    for node in NODES * 2:
        tabs.append(attempt(fleet, person, node, "oldest"))
        time.sleep(SETTLED)
    assert settles(tabs) == tabs[-LIMIT:]


@pytest.mark.slow
def test_other_users_and_routes_without_a_limit_are_not_counted(fleet: Fleet) -> None:
    person, other = fleet.somebody(), fleet.somebody()
    everywhere = [fleet.open_everywhere(person) for _ in range(2)]
    tabs = [attempt(fleet, who, node) for who in (person, other) for node in NODES]
    settles(tabs, 2 * LIMIT)
    assert all(tab.answers() for tabs in everywhere for tab in tabs.values())


@pytest.mark.slow  # it waits for two sweeps
def test_sockets_of_a_killed_node_stop_counting_within_two_sweeps(fleet: Fleet) -> None:
    person = fleet.somebody()
    tabs = [attempt(fleet, person, "granian") for _ in range(LIMIT)]
    settles(tabs)
    assert is_refused(fleet, person, "daphne")
    del fleet.bystanders["granian"]
    with killed(fleet, "granian"):
        eventually(lambda: is_admitted(fleet, person, "daphne"), 2 * SWEEP + BOUND / 2)
    fleet.bystanders["granian"] = fleet.open(fleet.somebody(), "granian")


@pytest.mark.slow  # Redis restarts
def test_without_redis_each_node_enforces_the_limit_and_afterwards_all_do(fleet: Fleet) -> None:
    person = fleet.somebody()
    with without_redis(fleet):
        own = {node: [attempt(fleet, person, node) for _ in range(LIMIT + 1)] for node in NODES[:2]}
        for tabs in own.values():
            assert tabs[LIMIT] is None
            settles(tabs)
    both = [tab for tabs in own.values() for tab in tabs]
    settles(both)
    assert is_refused(fleet, person, NODES[2])
