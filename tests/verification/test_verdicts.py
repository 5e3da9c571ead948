"""Verdicts that a site's own backend returns, right and wrong ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject

from channels_token_auth import (
    Authentication,
    BaseTokenBackend,
    CloseReason,
    Credential,
    Detail,
    Grant,
    Identity,
    Location,
    Secret,
    TokenAuthError,
)
from channels_token_auth.backends.contract import Unrecognized
from channels_token_auth.core.identity import UserInactiveError
from channels_token_auth.verification.authenticator import Authenticator

CREDENTIAL = Credential(location=Location.HEADER, secret=Secret("t0ken"))
AUTHENTICATION = Authentication(backend="own", token_id="1", location=Location.HEADER)
DETAIL = Detail(slug="not_ours", remedy="Ask the other one.")


class Own(BaseTokenBackend):
    def __init__(self, answer, name="own"):
        super().__init__(name=name)
        self._answer = answer

    def authenticate(self, credentials):
        return [self._answer for _ in credentials]

    revalidate = authenticate


def judge(*answers):
    *others, last = answers
    backends = [Own(answer, name=f"own {number}") for number, answer in enumerate(others)]
    backends.append(Own(last))
    return Authenticator(backends, timeout=60).authenticate_now(CREDENTIAL)


def whose(answer):
    return Authenticator([Own(answer)], timeout=60).identify_now(CREDENTIAL)


def identity(user):
    return Identity(user=user, authentication=AUTHENTICATION)


@pytest.fixture
def ada(db):
    return get_user_model().objects.create(username="ada")


def test_lazy_user_is_loaded_in_the_thread_that_verifies(ada):
    lazy = SimpleLazyObject(lambda: get_user_model().objects.get(pk=ada.pk))
    verdict = judge(identity(lazy))
    assert (verdict.user, type(verdict.user)) == (ada, get_user_model())


def test_lazy_user_is_loaded_in_a_sweep_too(ada):
    lazy = SimpleLazyObject(lambda: get_user_model().objects.get(pk=ada.pk))
    chain = Authenticator([Own(identity(lazy))], timeout=60).chain
    (verdict,) = chain.revalidate([Grant(user_pk=ada.pk, authentication=AUTHENTICATION)])
    assert type(verdict.user) is get_user_model()


def test_lazy_user_that_cannot_be_loaded_is_unavailable(db):
    lazy = SimpleLazyObject(lambda: get_user_model().objects.get(pk=0))
    assert judge(identity(lazy)).code is CloseReason.UNAVAILABLE


@pytest.mark.parametrize("answer", [True, "ada", (1, 2), 0, object(), CloseReason.TOKEN_INVALID])
def test_answer_that_is_no_verdict_is_unavailable_and_logged(answer, caplog):
    assert judge(answer).code is CloseReason.UNAVAILABLE
    assert type(answer).__name__ in caplog.text


def test_identity_in_the_name_of_another_backend_is_unavailable_and_logged(ada, caplog):
    """No sweep could ask the backend about it: the socket of a revoked token would stay open."""
    misnamed = replace(AUTHENTICATION, backend="misnamed")
    assert judge(Identity(user=ada, authentication=misnamed)).code is CloseReason.UNAVAILABLE
    assert "misnamed" in caplog.text


def test_unrecognized_token_is_left_to_the_next_backend(ada):
    assert judge(Unrecognized(DETAIL), identity(ada)).user == ada


@pytest.mark.parametrize("answers", [(Unrecognized(DETAIL), None), (None, Unrecognized(DETAIL))])
def test_detail_of_an_unrecognized_token_counts_where_nobody_accepts_it(answers):
    verdict = judge(*answers)
    assert (verdict.code, verdict.detail) == (CloseReason.TOKEN_INVALID, DETAIL)


EXPIRED = replace(AUTHENTICATION, expires_at=datetime.now(UTC) - timedelta(seconds=1))


def test_expired_token_that_its_backend_accepts_is_refused_with_4419(ada):
    verdict = judge(Identity(user=ada, authentication=EXPIRED))
    assert verdict.code is CloseReason.TOKEN_EXPIRED


@pytest.mark.parametrize("authentication", [AUTHENTICATION, EXPIRED])
def test_token_is_identified_whether_or_not_it_has_expired(ada, authentication):
    assert whose(Identity(user=ada, authentication=authentication)).user == ada


def test_token_of_an_inactive_user_is_identified(ada):
    assert whose(UserInactiveError(identity(ada))).user == ada


@pytest.mark.parametrize("answer", [None, TokenAuthError(CloseReason.TOKEN_REVOKED)])
def test_token_that_nobody_knows_is_nobodys(db, answer):
    assert whose(answer) is None


@pytest.mark.parametrize("code", [CloseReason.UNAVAILABLE, CloseReason.RATE_LIMITED])
def test_token_that_cannot_be_verified_now_is_not_called_unknown(db, code):
    with pytest.raises(TokenAuthError) as raised:
        whose(TokenAuthError(code))
    assert raised.value.code is code


def test_backend_that_fails_at_each_token_is_logged_once(caplog):
    class Misconfigured(Own):
        def authenticate(self, credentials):
            raise ImproperlyConfigured("no-option")

    authenticator = Authenticator([Misconfigured(None)], timeout=60)
    for number in range(20):
        credential = replace(CREDENTIAL, secret=Secret(f"token {number}"))
        answer = authenticator.authenticate_now(credential)
        assert answer.code is CloseReason.UNAVAILABLE
    (message,) = caplog.messages
    assert "no-option" in message
