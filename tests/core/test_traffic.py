"""The frames of a user, over all their sockets."""

import pytest

from channels_token_auth.core.counting.traffic import SLACK, TrafficTable, size_of
from channels_token_auth.core.identity import UserKey
from channels_token_auth.core.limits import Limit, Limits, Rate

ANNE = UserKey(kind="auth.user", key="1")
NAMESAKE = UserKey(kind="issuer:other", key="1")
FRAME = {"type": "websocket.receive", "text": "hello"}
TWO = Limits(messages=Rate(2, 10))
OVER = Limit.MESSAGES, 10


def test_nothing_is_counted_where_nothing_is_limited():
    assert TrafficTable().join(ANNE, Limits(), 0) is None


def test_clients_without_user_and_address_are_not_limited():
    assert TrafficTable().join(None, TWO, 0) is None


def test_sockets_of_a_user_share_one_count():
    table = TrafficTable()
    first, second = table.join(ANNE, TWO, 0), table.join(ANNE, TWO, 0)
    assert [first.take(FRAME, 0), second.take(FRAME, 0), first.take(FRAME, 0)] == [None, None, OVER]


def test_users_of_two_kinds_and_the_address_of_nobody_count_apart():
    table = TrafficTable()
    for who in (ANNE, NAMESAKE, "192.0.2.1", "192.0.2.2"):
        traffic = table.join(who, TWO, 0)
        assert [traffic.take(FRAME, 0) for _ in range(3)] == [None, None, OVER], who


def test_whoever_reconnects_does_not_start_anew():
    table = TrafficTable()
    for waits in ([None, None], [OVER]):
        traffic = table.join(ANNE, TWO, 0)
        assert [traffic.take(FRAME, 0) for _ in waits] == waits
        table.leave(traffic, 0)


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        ({"text": "abc"}, 3),
        ({"text": "äöü€"}, 9),
        ({"text": "\ud800"}, 3),
        ({"bytes": b"\x00\xff"}, 2),
        ({"text": None, "bytes": b"\x00"}, 1),
        ({"text": "", "bytes": None}, 0),
        ({}, 0),
    ],
)
def test_size_of_a_frame_is_what_it_has_on_the_wire(frame, size):
    assert size_of(frame) == size


def test_bytes_are_limited_by_themselves():
    traffic = TrafficTable().join(ANNE, Limits(bytes=Rate(10, 5)), 0)
    assert [traffic.take(FRAME, 0), traffic.take(FRAME, 1), traffic.take(FRAME, 1)] == [
        None,
        None,
        (Limit.BYTES, 4),
    ]


def test_frame_larger_than_the_rate_is_refused_for_a_second_at_least():
    traffic = TrafficTable().join(ANNE, Limits(bytes=Rate(4, 1)), 0)
    assert traffic.take(FRAME, 0) == (Limit.BYTES, 1)


def test_users_who_left_and_owe_nothing_are_forgotten():
    table = TrafficTable()
    for number in range(3 * SLACK):
        traffic = table.join(str(number), TWO, number)
        traffic.take(FRAME, number)
        table.leave(traffic, number)
    assert len(table) <= 2 * SLACK


def test_users_with_a_socket_are_never_forgotten():
    table = TrafficTable()
    anne = table.join(ANNE, TWO, 0)
    for number in range(3 * SLACK):
        table.join(str(number), TWO, 100)
    assert table.join(ANNE, TWO, 100) is anne


# -- Counts that several processes share


def shared(limits=TWO):
    reported = []
    table = TrafficTable(lambda *_: lambda *report: reported.append(report))
    return table, table.join(ANNE, limits, 0), reported


def test_frames_are_reported_together_but_the_first_at_once():
    _, traffic, reported = shared(Limits(messages=Rate(99, 1), bytes=Rate(99, 1)))
    for now in (0, 0.01, 0.02, 0.06):
        traffic.take(FRAME, now)
    assert reported[:2] == [(Limit.MESSAGES, 1), (Limit.BYTES, 5)]
    assert reported[2:] == [(Limit.MESSAGES, 3), (Limit.BYTES, 15)]


def test_rest_is_reported_when_a_socket_closes():
    table, traffic, reported = shared()
    for _ in range(2):
        traffic.take(FRAME, 0)
    table.leave(traffic, 0)
    assert reported == [(Limit.MESSAGES, 1), (Limit.MESSAGES, 1)]


def test_refused_frames_are_not_reported():
    _, traffic, reported = shared()
    for _ in range(9):
        traffic.take(FRAME, 1)
    traffic.share()
    assert sum(amount for _, amount in reported) == 2


def test_user_who_is_blocked_is_refused_also_after_a_reconnection():
    table, traffic, _ = shared()
    traffic.block(Limit.BYTES, 7.5)
    table.leave(traffic, 1)
    again = table.join(ANNE, TWO, 1)
    assert again.take(FRAME, 1) == (Limit.BYTES, 7)
    assert again.take(FRAME, 7.5) is None
