"""Sockets are found by whose they are, whatever happened to them in between."""

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from channels_token_auth.core.revocation import Target
from channels_token_auth.node.registry import Registry

users = st.none() | st.sampled_from(["1", "2", "3"])
tokens = st.none() | st.sampled_from(["a", "b", "c"])


class Socket:
    backend = issued_at = address = connection_id = None

    def __init__(self, user_id, token_id):
        self.user_id = user_id
        self.token_id = token_id


class Sockets(RuleBasedStateMachine):
    """The registry beside a plain list of the same sockets."""

    there = Bundle("there")

    @initialize()
    def start(self):
        self.registry = Registry()
        self.plain = []

    @rule(target=there, user_id=users, token_id=tokens)
    def come(self, user_id, token_id):
        socket = Socket(user_id, token_id)
        self.registry.add(socket)
        self.plain.append(socket)
        return socket

    @rule(socket=there, token_id=tokens)
    def reauthenticate(self, socket, token_id):
        socket.token_id = token_id
        self.registry.add(socket)

    @rule(socket=consumes(there))
    def leave(self, socket):
        self.registry.discard(socket)
        self.registry.discard(socket)
        self.plain.remove(socket)

    @rule(user_id=users, token_id=tokens)
    def find(self, user_id, token_id):
        target = Target(user_id=user_id, token_id=token_id)
        expected = [socket for socket in self.plain if target.matches(socket)]
        assert set(self.registry.find(target)) == set(expected)

    @invariant()
    def holds_each_once(self):
        assert len(self.registry) == len(self.plain)
        assert sorted(map(id, self.registry)) == sorted(map(id, self.plain))


TestSockets = Sockets.TestCase


def test_registry_of_nobody_keeps_nothing():
    registry = Registry()
    socket = Socket("1", "a")
    registry.add(socket)
    registry.discard(socket)
    assert not registry._by_user._items
    assert not registry._by_token._items


def test_sockets_may_come_and_go_while_all_are_looked_at():
    registry = Registry()
    for number in range(3):
        registry.add(Socket(str(number), "a"))
    for socket in registry:
        registry.discard(socket)
    assert not registry
