"""A node publishes its sockets, and acts on those that others publish."""

import asyncio
from types import SimpleNamespace

import pytest

from channels_token_auth.cluster import layer as layers
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import ConnectionLimits, LimitPolicy, Limits
from channels_token_auth.node import seats as module
from channels_token_auth.node.seats import Seats
from tests.node.members import FakeMember, identity

ONE = ConnectionLimits(user=1)


class Sent(list):
    """The messages that the layer has taken, without what it did not take."""

    is_down = False

    async def send(self, group, message):
        if self.is_down:
            return False
        self.append(message)
        return True

    @property
    def opened(self):
        return [row[0] for message in self for row in message["opened"]]

    @property
    def closed(self):
        return [each for message in self for each in message["closed"]]

    async def settle(self):
        """Wait until all senders have ended: they are the only other tasks."""
        if senders := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(senders, timeout=60)


@pytest.fixture
def sent(monkeypatch):
    taken = Sent()
    monkeypatch.setattr(layers, "send", taken.send)
    return taken


def node(name="here", *, is_alone=False):
    return Seats(name, interval=60, is_alone=is_alone)


def admit(seats, limits=ONE, *, user_id=1, token_id="t", is_accepted=True):
    route = SimpleNamespace(limits=Limits(connections=limits))
    member = FakeMember(user_id, token_id, route=route)
    fresh = identity(user_id, token_id)
    seats.check(member, fresh, fresh.user_key)
    seats.take(member, fresh, fresh.user_key)
    if is_accepted:
        seats.announce(member)
    return member


async def test_sockets_of_a_batch_are_published_together(sent):
    seats = node()
    members = [admit(seats, ConnectionLimits(user=9)) for _ in range(5)]
    assert sent == []
    await sent.settle()
    assert sent.opened == [each.connection_id for each in members]
    assert len(sent) == 1


async def test_message_has_a_bounded_number_of_sockets(sent, monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    seats = node()
    members = [admit(seats, ConnectionLimits(user=9)) for _ in range(5)]
    await sent.settle()
    assert [len(each["opened"]) for each in sent] == [2, 2, 1]
    assert sent.opened == [each.connection_id for each in members]


async def test_nothing_is_published_without_a_limit_or_before_the_accept(sent):
    seats = node()
    admit(seats, ConnectionLimits())
    admit(seats, is_accepted=False)
    seats.repeat()
    await sent.settle()
    assert sent == []


async def test_nothing_is_published_where_there_is_nobody_else(sent):
    seats = node(is_alone=True)
    seats.release(admit(seats))
    await sent.settle()
    assert sent == []


async def test_socket_that_came_and_went_within_a_batch_is_not_published_as_open(sent):
    seats = node()
    seats.release(admit(seats))
    await sent.settle()
    assert sent.opened == []


async def test_all_are_repeated_and_again_published_with_another_token(sent):
    seats = node()
    member = admit(seats)
    await sent.settle()
    seats.repeat()
    await sent.settle()
    fresh = identity(1, "another")
    seats.take(member, fresh, fresh.user_key)
    await sent.settle()
    assert sent.opened == [member.connection_id] * 3
    assert sent[-1]["opened"][0][4] == "another"


async def test_close_that_the_layer_did_not_take_is_published_later(sent):
    seats = node()
    member = admit(seats, ConnectionLimits(user=2))
    await sent.settle()
    sent.is_down = True
    seats.release(member)
    await sent.settle()
    sent.is_down = False
    admit(seats, ConnectionLimits(user=2))
    await sent.settle()
    assert sent.closed == [member.connection_id]


@pytest.mark.parametrize("policy", list(LimitPolicy))
async def test_two_nodes_keep_the_same_socket(sent, policy):
    limits = ConnectionLimits(user=1, policy=policy)
    here, there = node("here"), node("there")
    first, second = admit(here, limits), admit(there, limits)
    await sent.settle()
    for message in list(sent):
        here.handle(message)
        there.handle(message)
    newest_closed, oldest_closed = [None, "connection_limit"], ["connection_limit", None]
    expected = newest_closed if policy is LimitPolicy.REFUSE else oldest_closed
    assert [first.code, second.code] == expected


async def test_socket_of_another_node_takes_room_until_it_closes(sent):
    here, there = node("here"), node("there")
    other = admit(there)
    await sent.settle()
    here.handle(sent[0])
    with pytest.raises(TokenAuthError) as refused:
        admit(here)
    assert refused.value.retry_after > 0
    there.release(other)
    await sent.settle()
    here.handle(sent[-1])
    admit(here)


async def test_nothing_of_closed_sockets_stays(sent):
    here = node("here")
    for member in [admit(here, user_id=number) for number in range(9)]:
        here.release(member)
        here.release(member)
    await sent.settle()
    assert len(here) == 0
