"""Sockets are found by their user and token, whatever happened to them in between."""

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from channels_token_auth.core.revocation import Target
from channels_token_auth.node.registry import Registry, Sockets
from tests.memory import kept_by
from tests.node.members import FakeMember

users = st.sampled_from([1, 2, 3])
tokens = st.sampled_from(["a", "b", "c"])


class Machine(RuleBasedStateMachine):
    """The registry beside a plain list of the same sockets."""

    there = Bundle("there")

    @initialize()
    def start(self):
        self.registry = Registry()
        self.plain = []

    @rule(target=there, user_id=users, token_id=st.none() | tokens)
    def come(self, user_id, token_id):
        member = FakeMember(user_id, token_id)
        self.registry.add(member)
        self.plain.append(member)
        return member

    @rule(member=there, token_id=tokens)
    def reauthenticate(self, member, token_id):
        if member.token_id is not None:
            member.authenticate(token_id)
            self.registry.add(member)

    @rule(member=consumes(there))
    def leave(self, member):
        self.registry.discard(member)
        self.registry.discard(member)
        self.plain.remove(member)

    @rule(user_id=st.none() | users, token_id=st.none() | tokens)
    def find(self, user_id, token_id):
        target = Target(user_id=user_id and str(user_id), token_id=token_id)
        expected = [member for member in self.plain if target.matches(member)]
        assert set(self.registry.find(target)) == set(expected)

    @invariant()
    def holds_each_once(self):
        assert len(self.registry) == len(self.plain)
        assert sorted(map(id, self.registry)) == sorted(map(id, self.plain))


TestMachine = Machine.TestCase


def test_registry_without_sockets_keeps_nothing():
    registry = Registry()
    member = FakeMember()
    registry.add(member)
    assert member.token_id in kept_by(registry, str)
    registry.discard(member)
    assert member not in kept_by(registry)
    assert member.user_id not in kept_by(registry, str)
    assert member.token_id not in kept_by(registry, str)


def test_sockets_may_come_and_go_while_all_are_looked_at():
    registry = Registry()
    for number in range(3):
        registry.add(FakeMember(number, "a"))
    for member in registry:
        registry.discard(member)
    assert not registry


def test_busiest_users_come_first_and_anonymous_sockets_count_together():
    registry = Registry()
    for user_id, sockets in ((1, 1), (2, 3), (3, 2)):
        for _ in range(sockets):
            registry.add(FakeMember(user_id, "t"))
    for _ in range(2):
        registry.add(FakeMember(None, None))
    assert registry.busiest_users(3)[0] == ("auth.user", "2", 3)
    assert set(registry.busiest_users(3)[1:]) == {("auth.user", "3", 2), (None, None, 2)}
    assert len(registry.busiest_users(9)) == 4


def test_sockets_are_those_in_their_handshake_and_those_admitted():
    registry = Registry()
    sockets = Sockets(registry)
    begun, admitted = FakeMember(1, "a"), FakeMember(2, "b")
    for each in (begun, admitted):
        sockets.add(each)
    sockets.let_in(admitted)
    assert ({*sockets}, len(sockets), [*registry]) == ({begun, admitted}, 2, [admitted])
    assert begun in sockets
    assert admitted in sockets
    sockets.let_in(admitted)  # with another token
    assert len(sockets) == 2
    for each in sockets:
        sockets.discard(each)
    assert not sockets
    assert not registry


def test_sockets_keep_an_admitted_one_in_the_registry_only():
    registry = Registry()
    sockets = Sockets(registry)
    member = FakeMember()
    sockets.add(member)
    sockets.let_in(member)
    registry.discard(member)
    assert member not in kept_by(sockets)
