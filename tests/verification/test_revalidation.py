"""The sweep's question to an authenticator: within a deadline, and never raising."""

import threading

import pytest
from django.contrib.auth.models import User

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.authenticator import Authenticator

from .backends import FakeBackend, identity


class Slow(FakeBackend):
    """Answers when it is let."""

    def __init__(self):
        super().__init__()
        self.goes_on = threading.Event()

    def revalidate(self, held):
        assert self.goes_on.wait(60)
        return [identity() for _ in held]


@pytest.fixture(params=["own thread", "the test's"])
def _thread(request, monkeypatch):
    """The library's own, as in production; or the one that a test runner's transaction needs."""
    if request.param == "own thread":
        monkeypatch.setattr(test_mode, "forced", False)
    else:
        monkeypatch.setattr(test_mode, "forced", True)


@pytest.fixture
def held():
    of = identity()
    return [Grant(user_pk=of.user.pk, authentication=of.authentication)] * 2


@pytest.fixture
def backend():
    backend = Slow()
    yield backend
    backend.goes_on.set()


@pytest.mark.usefixtures("_thread")
async def test_every_token_is_answered(backend, held):
    backend.goes_on.set()
    verdicts = await Authenticator([backend], timeout=60).revalidate(held)
    assert [type(verdict) for verdict in verdicts] == [Identity] * 2


@pytest.mark.usefixtures("_thread")
async def test_store_that_hangs_is_unavailable_for_all(backend, held):
    verdicts = await Authenticator([backend], timeout=0.05).revalidate(held)
    assert [verdict.code for verdict in verdicts] == [CloseReason.UNAVAILABLE] * 2


@pytest.mark.usefixtures("_thread")
async def test_answer_that_comes_too_late_harms_nobody(backend, held, caplog):
    authenticator = Authenticator([backend], timeout=0.05)
    await authenticator.revalidate(held)
    backend.goes_on.set()
    authenticator = Authenticator([backend], timeout=60)
    await authenticator.revalidate(held)
    assert "Traceback" not in caplog.text


class Owners(FakeBackend):
    """Returns its tokens' present users by their keys."""

    def __init__(self, *keys):
        super().__init__()
        self.keys = keys

    def revalidate(self, grants):
        pairs = zip(grants, self.keys, strict=True)
        return [
            Identity(user=User(pk=key), authentication=grant.authentication) for grant, key in pairs
        ]


async def test_token_that_is_another_users_by_now_is_revoked():
    of = identity()
    grants = [Grant(user_pk=each, authentication=of.authentication) for each in (7, 7, "7")]
    mine, others, typed = await Authenticator([Owners(7, 8, 7)], timeout=60).revalidate(grants)
    assert (mine.user.pk, typed.user.pk) == (7, 7)
    assert others.code is CloseReason.TOKEN_REVOKED
