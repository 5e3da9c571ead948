"""A failed verification, or a change of one socket's user, affects no other socket."""

import asyncio

import pytest
from django.contrib.auth.models import User

from channels_token_auth.backends.sources.users.private_copies import private_copy
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import Authenticator
from channels_token_auth.verification.lanes import ROWS, Onward

from .backends import FakeBackend, credential, identity


class Uncopyable:
    """A user whose class cannot be copied."""

    __slots__ = ()
    pk, is_active = 1, True

    def __reduce_ex__(self, protocol):
        raise RuntimeError("cannot be copied")


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.asvs("16.5.4")
async def test_exit_in_a_backend_is_unavailable_and_the_thread_lives_on(lanes, error):
    def leave(tokens):
        if tokens == ["bad"]:
            raise error

    authenticator = Authenticator([FakeBackend("good", before=leave)], timeout=60)
    with pytest.raises(TokenAuthError) as refused:
        await authenticator.authenticate(credential("bad"))
    assert refused.value.code is CloseReason.UNAVAILABLE
    assert await authenticator.authenticate(credential("good")) == identity("good")


async def test_user_that_cannot_be_copied_is_unavailable(lanes, monkeypatch):
    backend = FakeBackend("t0ken")
    found = identity()
    object.__setattr__(found, "user", Uncopyable())
    monkeypatch.setattr(backend, "authenticate", lambda credentials: [found] * len(credentials))
    with pytest.raises(TokenAuthError) as refused:
        await Authenticator([backend], timeout=60).authenticate(credential())
    assert refused.value.code is CloseReason.UNAVAILABLE


async def test_answer_that_fails_costs_no_other_one(lanes):
    loop = asyncio.get_running_loop()
    answered = loop.create_future()

    def fail(answer):
        raise ValueError("of this one only")

    lanes.ask(Onward(ROWS, list, 1), fail)
    lanes.ask(Onward(ROWS, list, 2), answered.set_result)
    assert await answered == 2


def test_what_one_socket_changes_in_a_users_values_no_other_sees():
    user = User(pk=1)
    user.prefs = {"a": {"b": [1]}}
    copied = private_copy(user)
    copied.prefs["a"]["b"].append(2)
    assert user.prefs == {"a": {"b": [1]}}
