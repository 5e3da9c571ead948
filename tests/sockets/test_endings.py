"""Whoever verifies meanwhile hears of what has ended; whoever came later does not."""

from types import SimpleNamespace

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.recent_revocations import MAX_REVOCATIONS, RevocationLog

SOCKET = SimpleNamespace(
    user_id="1", backend="drf", token_id="a", issued_at=None, connection_id="", address=None
)


def ending(code=CloseReason.TOKEN_REVOKED, **target):
    return Revocation(target=Target(**target), code=code)


@pytest.fixture
def endings():
    return RevocationLog()


def test_ending_before_the_mark_is_none(endings):
    endings.add(ending(user_id="1"))
    assert endings.since(endings.mark, SOCKET) is None


def test_ending_after_the_mark_is_the_reason(endings):
    mark = endings.mark
    endings.add(ending(user_id="2"))
    endings.add(ending(CloseReason.USER_INACTIVE, user_id="1"))
    endings.add(ending(user_id="3"))
    assert endings.since(mark, SOCKET) is CloseReason.USER_INACTIVE


def test_as_many_as_are_kept_are_all_known(endings):
    mark = endings.mark
    endings.add(ending(user_id="1"))
    for _ in range(MAX_REVOCATIONS - 1):
        endings.add(ending(user_id="2"))
    assert endings.since(mark, SOCKET) is CloseReason.TOKEN_REVOKED


def test_of_more_than_are_kept_nobody_knows(endings):
    mark = endings.mark
    for _ in range(MAX_REVOCATIONS + 1):
        endings.add(ending(user_id="2"))
    assert endings.since(mark, SOCKET) is CloseReason.UNAVAILABLE
