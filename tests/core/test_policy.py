"""The rules of a route: strict unless told otherwise."""

import dataclasses

import pytest

from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy, RefusalMode


@pytest.fixture
def policy():
    return Policy(locations=frozenset(), origins=OriginRule(hosts=()))


def test_nobody_is_let_in_by_default(policy):
    assert not policy.anonymous
    assert policy.schemes == frozenset()
    assert policy.refusal is RefusalMode.AUTO
    assert policy.max_token_bytes == 4096


def test_rules_do_not_change_under_a_live_door(policy):
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.anonymous = True
