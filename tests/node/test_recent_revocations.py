"""A verification that runs during a revocation does not miss it; a later one is not refused."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.recent_revocations import MAX_REVOCATIONS, RevocationLog
from tests.node.members import identity

IDENTITY = identity(1, "a")


def revocation(code=CloseReason.TOKEN_REVOKED, **target):
    return Revocation(target=Target(**target), code=code)


@pytest.fixture
def log():
    return RevocationLog()


def test_revocation_before_the_mark_is_not_found(log):
    log.add(revocation(user_id="1"))
    assert log.since(log.mark, IDENTITY) is None


def test_revocation_after_the_mark_is_the_reason(log):
    mark = log.mark
    log.add(revocation(user_id="2"))
    log.add(revocation(CloseReason.USER_INACTIVE, user_id="1"))
    log.add(revocation(user_id="3"))
    assert log.since(mark, IDENTITY) is CloseReason.USER_INACTIVE


def test_as_many_as_are_kept_are_all_known(log):
    mark = log.mark
    log.add(revocation(user_id="1"))
    for _ in range(MAX_REVOCATIONS - 1):
        log.add(revocation(user_id="2"))
    assert log.since(mark, IDENTITY) is CloseReason.TOKEN_REVOKED


def test_more_than_are_kept_answer_unavailable(log):
    mark = log.mark
    for _ in range(MAX_REVOCATIONS + 1):
        log.add(revocation(user_id="2"))
    assert log.since(mark, IDENTITY) is CloseReason.UNAVAILABLE
