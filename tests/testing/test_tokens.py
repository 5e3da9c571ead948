import copy
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from channels_token_auth import Revocations, conf
from channels_token_auth.checks import check_settings
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import (
    FakeTokenBackend,
    TokenWebsocketCommunicator,
    fake_tokens,
    frozen_clock,
)
from channels_token_auth.testing import tokens as module
from channels_token_auth.verification import test_mode
from tests.backends.checking import check
from tests.testing.site import ADA, BOB, application


@pytest.fixture
def tokens():
    with fake_tokens({"secret": ADA}) as tokens:
        yield tokens


def ask(token="secret", location=Location.HEADER):
    (verdict,) = FakeTokenBackend().authenticate(
        [Credential(location=location, secret=Secret(token))]
    )
    return verdict


def ask_again(identity):
    held = Grant(user_pk=identity.user.pk, authentication=identity.authentication)
    (verdict,) = FakeTokenBackend().revalidate([held])
    return verdict


def code_of(verdict):
    assert isinstance(verdict, TokenAuthError)
    return verdict.code


async def meet(token="secret", **overrides):
    stack = TokenAuthMiddlewareStack(application.application, **overrides)
    return await TokenWebsocketCommunicator(stack, "/", token=token).connect()


def test_a_token_is_the_users_it_was_issued_to(tokens):
    assert ask().user == ADA
    assert ask("other") is None
    assert ask(tokens.issue(BOB)).user == BOB


def test_an_authentication_says_what_the_token_was_issued_with(tokens):
    with frozen_clock() as frozen:
        token = tokens.issue(ADA, lifetime=60, scopes={"chat"})
        authentication = ask(token, Location.SUBPROTOCOL).authentication
    now = frozen.calendar()
    assert authentication.backend == "fake"
    assert authentication.token_id == Secret(token).digest
    assert authentication.location is Location.SUBPROTOCOL
    assert authentication.scopes == {"chat"}
    assert authentication.issued_at == datetime.fromtimestamp(now, UTC)
    assert authentication.expires_at == datetime.fromtimestamp(now + 60, UTC)


def test_a_token_belongs_to_a_user(tokens):
    with pytest.raises(TypeError):
        tokens.issue(None)


def test_a_token_is_refused_as_the_test_set_it(tokens):
    held = ask()
    tokens.refuse("secret", "rate_limited", retry_after=7)
    assert (code_of(ask()), ask().retry_after) == (CloseReason.RATE_LIMITED, 7)
    tokens.refuse("secret", CloseReason.TOKEN_REVOKED)
    assert code_of(ask_again(held)) is CloseReason.TOKEN_REVOKED


def test_an_inactive_user_is_refused(tokens):
    user = copy.copy(ADA)
    held = ask(tokens.issue(user, token="other"))
    user.is_active = False
    assert code_of(ask("other")) is code_of(ask_again(held)) is CloseReason.USER_INACTIVE


def test_a_token_that_stands_is_what_it_was(tokens):
    held = ask()
    assert ask_again(held) == held


def test_a_token_of_another_store_is_gone(tokens):
    held = ask()
    with fake_tokens():
        assert ask_again(held) is None


def test_a_store_that_is_away_raises_and_comes_back(tokens):
    with tokens.unavailable(), pytest.raises(OperationalError):
        ask()
    assert ask().user == ADA


def test_a_store_that_hangs_breaks_in_the_end(tokens, monkeypatch):
    monkeypatch.setattr(module, "HANG", 0.01)
    with tokens.hanging(), pytest.raises(OperationalError):
        ask()
    assert ask().user == ADA


async def test_a_store_that_is_away_is_met_as_4503(tokens):
    with tokens.unavailable():
        assert await meet() == (False, 4503)
    assert (await meet())[0]


@pytest.mark.parametrize("thread", ["of the test", "of the library"])
async def test_a_store_that_hangs_is_met_as_4503(tokens, thread, monkeypatch):
    if thread == "of the library":
        monkeypatch.setattr(test_mode, "forced", False)
    with tokens.hanging():
        assert await meet(verify_timeout=0.05) == (False, 4503)
    assert (await meet())[0]


def test_only_the_backends_are_overridden_and_for_the_block_only(settings):
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": "no.Backend"}], "ANONYMOUS": True}
    with fake_tokens():
        assert conf.configuration().policy.anonymous
        assert check(FakeTokenBackend()) == []
        assert [error for error in check_settings() if error.is_serious()] == []
    assert conf.configuration().backends[0].path == "no.Backend"


def test_a_site_without_settings_gets_those_of_the_fake(settings):
    del settings.CHANNELS_TOKEN_AUTH
    with fake_tokens():
        assert conf.configuration().backends[0].path == module.PATH


def test_an_error_names_the_missing_fake_backend():
    with pytest.raises(ImproperlyConfigured, match="fake_tokens"):
        TokenWebsocketCommunicator(application, "/", user=ADA)


def test_blocks_may_be_nested(tokens):
    with fake_tokens({"inner": BOB}):
        assert ask() is None
        assert ask("inner").user == BOB
    assert ask().user == ADA


async def test_settings_may_name_the_backend_and_code_its_tokens(settings):
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": module.PATH}]}
    assert await meet("process") == (False, 4401)
    FakeTokenBackend.tokens.issue(User(pk=3, username="eve"), token="process")
    assert (await meet("process"))[0]
    FakeTokenBackend.tokens.refuse("process", "token_revoked")
    assert await meet("process") == (False, 4410)


def test_a_token_that_is_ended_is_unknown(tokens):
    identity = ask()
    held = Grant(user_pk=identity.user.pk, authentication=identity.authentication)
    assert FakeTokenBackend().revoke([held, held]) == [True, True]
    assert FakeTokenBackend().revocations is Revocations.ROWS
    assert (ask(), ask_again(identity)) == (None, None)


def test_a_users_tokens_end_but_for_the_one_that_is_named(tokens):
    for token, user in (("mine", ADA), ("other", BOB)):
        tokens.issue(user, token=token)
    kept = ask("mine").authentication.token_id
    tokens.refuse("gone", "token_revoked")
    assert FakeTokenBackend().revoke_user(ADA.pk, except_token_id=kept, issued_before=None)
    assert [bool(ask(token)) for token in ("secret", "mine", "other")] == [False, True, True]


async def test_a_users_tokens_end_that_were_issued_by_then(tokens):
    with frozen_clock() as clock:
        tokens.issue(ADA, token="old")
        until = ask("old").authentication.issued_at
        await clock.move(1)
        tokens.issue(ADA, token="new")
        FakeTokenBackend().revoke_user(ADA.pk, except_token_id=None, issued_before=until)
        assert [bool(ask(token)) for token in ("old", "new")] == [False, True]


def test_nothing_is_announced(tokens):
    assert FakeTokenBackend().announcements() == []
