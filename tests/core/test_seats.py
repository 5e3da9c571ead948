"""All nodes choose the same sockets as too many, whatever they learn when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.counting.seats import Seat, SeatTable, too_many
from channels_token_auth.core.identity import UserKey
from channels_token_auth.core.limits import ConnectionLimits, LimitPolicy
from tests.plugins.examples import times

ANNE, BOB = UserKey(kind="auth.user", key="1"), UserKey(kind="auth.user", key="2")
NAMESAKE = UserKey(kind="issuer:other", key="1")
REFUSE, OLDEST = LimitPolicy.REFUSE, LimitPolicy.CLOSE_OLDEST
POLICIES = pytest.mark.parametrize("policy", list(LimitPolicy))


def seat(name, at=0, *, user=ANNE, node="here", token="t", token_since=None, policy=REFUSE):
    return Seat(
        id=name,
        node=node,
        user=user,
        token=("jwt", token),
        admitted_at=at,
        token_since=at if token_since is None else token_since,
        policy=policy,
    )


def table(*seats, now=0.0):
    made = SeatTable("here", lapse=120)
    for each in seats:
        made.put(each, now)
    return made


def excess(seats, limits, now=0.0):
    made = table(*seats)
    return made.excess(seats, lambda _: limits, now)


@pytest.mark.parametrize(("policy", "closed"), [(REFUSE, {"c", "d"}), (OLDEST, {"a", "b"})])
def test_policy_chooses_the_newest_or_the_oldest(policy, closed):
    seats = [seat("b", 2), seat("d", 4), seat("a", 1), seat("c", 3)]
    assert too_many(seats, 2, policy, of_token=False) == closed


@POLICIES
@pytest.mark.parametrize(("limit", "count"), [(0, 3), (1, 2), (3, 0), (9, 0)])
def test_as_many_are_too_many_as_are_over_the_limit(policy, limit, count):
    seats = [seat("a"), seat("b"), seat("c")]
    assert len(too_many(seats, limit, policy, of_token=False)) == count


def test_id_decides_between_sockets_of_one_moment():
    assert too_many([seat("b"), seat("a")], 1, REFUSE, of_token=False) == {"b"}


def test_users_of_two_kinds_with_one_key_do_not_share_a_limit():
    seats = [seat("a", 1), seat("b", 2, user=NAMESAKE), seat("c", 3, user=BOB)]
    assert excess(seats, ConnectionLimits(user=1)) == set()


def test_tokens_are_limited_by_themselves_and_by_when_a_socket_got_them():
    seats = [seat("a", 1, token_since=9), seat("b", 2), seat("c", 3, token="u")]
    assert excess(seats, ConnectionLimits(token=1)) == {"a"}
    seats = [Seat(*each[:-1], OLDEST) for each in seats]
    assert excess(seats, ConnectionLimits(token=1, policy=OLDEST)) == {"b"}


def test_routes_with_different_policies_count_by_themselves():
    made = table(seat("a", 1), seat("b", 2, policy=OLDEST))
    assert not made.is_full(seat("c", 3), ConnectionLimits(user=2), 0)
    assert made.is_full(seat("c", 3), ConnectionLimits(user=1), 0)


def test_node_closes_its_own_sockets_only():
    seats = [seat("a", 1), seat("b", 2, node="there"), seat("c", 3)]
    assert excess(seats, ConnectionLimits(user=1)) == {"c"}


def test_seats_of_a_node_that_is_silent_stop_counting_and_own_ones_do_not():
    made = table(seat("a", 1, node="there"), seat("b", 2))
    limits = ConnectionLimits(user=2)
    assert made.is_full(seat("c", 3), limits, 119)
    assert not made.is_full(seat("c", 3), limits, 120)
    made.prune(120)
    assert len(made) == 1


def test_repeated_seat_counts_once_and_for_longer():
    made = table(seat("a", 1, node="there"))
    made.put(seat("a", 1, node="there"), 100)
    assert made.is_full(seat("b", 2), ConnectionLimits(user=1), 150)
    assert not made.is_full(seat("b", 2), ConnectionLimits(user=2), 150)


def test_seat_with_another_token_leaves_the_old_one():
    made = table(seat("a", 1))
    made.put(seat("a", 1, token="u", token_since=5), 0)
    limits = ConnectionLimits(token=1)
    assert not made.is_full(seat("b", 6), limits, 0)
    assert made.is_full(seat("b", 6, token="u"), limits, 0)
    assert not made.is_full(seat("a", 1, token="u"), limits, 0)  # itself does not count


def test_next_socket_of_a_user_is_the_newest_whatever_the_clock_says():
    made = table(seat("a", 1000, node="ahead"), seat("b", 5, user=BOB))
    assert made.next_time(ANNE, 10) == 1001
    assert made.next_time(BOB, 10) == 10


def test_nothing_stays_of_seats_that_were_removed():
    made = table(*(seat(str(n), n, user=UserKey(kind="k", key=str(n))) for n in range(9)))
    for number in range(9):
        made.remove(str(number))
        made.remove(str(number))
    assert len(made) == 0


# -- Several nodes, which learn of each other's sockets in any order

NODES = ["n1", "n2", "n3"]
OPENED = st.lists(st.tuples(st.sampled_from(NODES), st.integers(0, 5)), min_size=1, max_size=9).map(
    lambda pairs: [seat(f"s{n}", at, node=node) for n, (node, at) in enumerate(pairs)]
)


class Cluster:
    """Nodes without clocks or a network: a message is delivered when the test says so."""

    def __init__(self, seats, limits):
        self.limits = limits
        self.open = {each.id: each for each in seats}
        self.tables = {node: SeatTable(node, lapse=120) for node in NODES}
        self.queue = []
        for each in seats:
            self.tables[each.node].put(each, 0)
            self.send(each.node, "opened", each)

    def send(self, sender, kind, what):
        self.queue += [(node, kind, what) for node in NODES if node != sender]

    def deliver(self, number):
        node, kind, what = self.queue.pop(number)
        if kind == "closed":
            self.tables[node].remove(what.id)
            return
        self.tables[node].put(what, 0)
        mine = lambda it: self.limits if it.id in self.open else None  # noqa: E731
        for name in self.tables[node].excess([what], mine, 0):
            closed = self.open.pop(name)
            self.tables[node].remove(name)
            self.send(node, "closed", closed)


@POLICIES
@times(2)
@given(seats=OPENED, limit=st.integers(0, 4), data=st.data())
def test_exactly_the_limit_stays_open_in_whatever_order_nodes_learn(policy, seats, limit, data):
    # A close never overtakes the opening of the same socket: both come from one node, in order.
    seats = [Seat(*each[:-1], policy) for each in seats]
    cluster = Cluster(seats, ConnectionLimits(user=limit, policy=policy))
    while cluster.queue:
        heads = _heads(cluster.queue)
        cluster.deliver(data.draw(st.sampled_from(heads)))
    rest = {each.id for each in seats} - too_many(seats, limit, policy, of_token=False)
    # A node that learnt of no other has to look itself, as it does at each admission.
    local = {n: [s for s in cluster.open.values() if s.node == n] for n in NODES}
    for node, its in local.items():
        for name in cluster.tables[node].excess(its, lambda _: cluster.limits, 0):
            del cluster.open[name]
    assert set(cluster.open) == rest


def _heads(queue):
    """Return the messages that may come next: the first of each sender to each receiver."""
    seen, heads = set(), []
    for number, (receiver, _, what) in enumerate(queue):
        if (receiver, what.node) not in seen:
            seen.add((receiver, what.node))
            heads.append(number)
    return heads


@POLICIES
def test_user_has_one_only_seat_until_another_comes_on_any_route(policy):
    made = table(seat("a"), seat("b", user=BOB), seat("c", user=NAMESAKE))
    assert made.is_only(ANNE, seat_id="a")
    assert not made.is_only(ANNE, seat_id="new")
    made.put(seat("d", policy=policy, node="there"), 0)
    assert not made.is_only(ANNE, seat_id="a")
    made.remove("d")
    assert made.is_only(ANNE, seat_id="a")
    made.remove("a")
    assert made.is_only(ANNE, seat_id="new")
