import asyncio
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from channels_token_auth import Revocations
from channels_token_auth.conf import BackendSpec
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.core.redaction import MARK
from channels_token_auth.verification.authenticator import (
    Authenticator,
    build_backend,
    site_authenticator,
)
from channels_token_auth.verification.verifier import settle

from .backends import FakeBackend, credential, identity
from .odd_caches import Away, JSONCache, cache


def judge(*backends, tokens=("t0ken",)):
    authenticator = Authenticator(backends, timeout=60)
    verdicts = authenticator.chain.authenticate([credential(token) for token in tokens])
    return [v.code if isinstance(v, TokenAuthError) else v for v in verdicts]


def test_a_known_token_is_its_identity():
    assert judge(FakeBackend("t0ken")) == [identity()]


def test_a_token_that_nobody_knows_is_invalid():
    assert judge(FakeBackend("other")) == [CloseReason.TOKEN_INVALID]


def test_backends_are_asked_in_order_and_only_for_what_is_still_unknown():
    first, second = FakeBackend("a", name="first"), FakeBackend("a", "b", name="second")
    assert judge(first, second, tokens="abc") == [
        identity("a", "first"),
        identity("b", "second"),
        CloseReason.TOKEN_INVALID,
    ]
    assert second.batches == [["b", "c"]]


def test_a_backend_is_not_asked_for_what_it_does_not_claim():
    backend = FakeBackend("a", "b", claims=lambda token: token == "b")
    assert judge(backend, tokens="ab") == [CloseReason.TOKEN_INVALID, identity("b")]
    assert backend.batches == [["b"]]
    unclaiming = FakeBackend("a", claims=lambda token: False)
    judge(unclaiming)
    assert unclaiming.batches == []


def test_a_refusal_is_final():
    class Refusing(FakeBackend):
        def authenticate(self, credentials):
            return [TokenAuthError(CloseReason.USER_INACTIVE) for _ in credentials]

    second = FakeBackend("t0ken")
    assert judge(Refusing(), second) == [CloseReason.USER_INACTIVE]
    assert second.batches == []


def test_a_dead_store_is_asked_twice_and_then_unavailable_for_all():
    def dead(tokens):
        raise OperationalError("connection refused")

    backend = FakeBackend(before=dead)
    assert judge(backend, tokens="ab") == [CloseReason.UNAVAILABLE, CloseReason.UNAVAILABLE]
    assert len(backend.batches) == 2


def test_unavailable_says_when_to_try_again():
    def dead(tokens):
        raise OperationalError

    (error,) = Authenticator([FakeBackend(before=dead)], timeout=60).chain.authenticate(
        [credential()]
    )
    assert error.retry_after == 5


def test_a_store_that_came_back_answers_on_a_fresh_connection():
    failures = [OperationalError("server closed the connection unexpectedly")]

    def restarted(tokens):
        if failures:
            raise failures.pop()

    assert judge(FakeBackend("t0ken", before=restarted)) == [identity()]


@pytest.mark.django_db
def test_a_failure_closes_the_connection_unless_a_transaction_is_open_on_it():
    def dead(tokens):
        raise OperationalError

    connection.ensure_connection()
    judge(FakeBackend(before=dead))
    assert connection.connection is not None


@pytest.mark.django_db(transaction=True)
def test_a_failure_closes_the_connections_of_its_thread():
    def dead(tokens):
        raise OperationalError

    connection.ensure_connection()
    judge(FakeBackend(before=dead))
    assert connection.connection is None


def test_one_poisonous_token_does_not_cost_the_others_of_its_batch():
    def choke(tokens):
        if "poison" in tokens:
            raise ValueError("poison")

    backend = FakeBackend("a", "b", before=choke)
    assert judge(backend, tokens=("a", "poison", "b")) == [
        identity("a"),
        CloseReason.UNAVAILABLE,
        identity("b"),
    ]


def test_a_backend_with_too_few_verdicts_is_unavailable():
    class Short(FakeBackend):
        def authenticate(self, credentials):
            return []

    assert judge(Short()) == [CloseReason.UNAVAILABLE]


def test_a_backend_that_cannot_even_claim_is_unavailable():
    def choke(token):
        raise ValueError(token)

    assert judge(FakeBackend(claims=choke)) == [CloseReason.UNAVAILABLE]


def test_what_failed_is_logged_without_the_token_and_without_frames(caplog):
    def choke(tokens):
        raise ValueError(f"cannot digest {tokens[0]}")

    judge(FakeBackend(before=choke), tokens=("c4nary",))
    (record,) = caplog.records
    assert f"cannot digest {MARK}" in caplog.text
    assert "c4nary" not in caplog.text
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)


def test_a_backend_that_cannot_be_built_says_so():
    with pytest.raises(ImproperlyConfigured, match=r"nowhere\.Backend"):
        build_backend(BackendSpec(path="nowhere.Backend", options={}))


def test_entry_of_a_backend_that_cannot_be_built_is_named():
    with pytest.raises(ImproperlyConfigured, match=r'\["BACKENDS"\]\[1\]'):
        build_backend(BackendSpec(path="nowhere.Backend", options={}, place=1))


def test_every_backend_that_cannot_be_built_is_named(settings):
    """A server that starts shows one error: it has to name all entries."""
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": f"nowhere.Backend{number}"} for number in range(2)]
    }
    with pytest.raises(ImproperlyConfigured) as caught:
        site_authenticator()
    assert all(f'["BACKENDS"][{number}]' in str(caught.value) for number in range(2))


@pytest.mark.parametrize(("said", "is_delegated"), [(None, True), (False, False), (True, True)])
def test_entry_decides_whether_its_tokens_are_delegated(said, is_delegated):
    path = "channels_token_auth.backends.oauth2.OAuth2Backend"
    spec = BackendSpec(path=path, options={}, delegated=said)
    assert build_backend(spec).is_delegated is is_delegated


def test_the_options_of_a_backend_stay_out_of_its_repr():
    assert "c4nary" not in repr(BackendSpec(path="a.B", options={"key": "c4nary"}))


def test_the_schemes_are_those_of_all_backends():
    other = FakeBackend()
    other.schemes = frozenset({"jwt"})
    assert Authenticator([FakeBackend(), other], timeout=60).schemes == {"token", "jwt"}


def test_identity_of_a_backend_that_nobody_has_costs_no_others_their_revalidation(caplog):
    class Misnamed(FakeBackend):
        def revalidate(self, held):
            return [identity() for _ in held]

    authenticator = Authenticator([Misnamed()], timeout=60)
    held = [_held("fake"), _held("another")]
    verdicts = authenticator.chain.revalidate(held)
    assert isinstance(verdicts[0], Identity)
    assert verdicts[1].code is CloseReason.UNAVAILABLE


def _held(backend):
    of = identity(backend=backend)
    return Grant(user_pk=of.user.pk, authentication=of.authentication)


@pytest.mark.parametrize("revocations", Revocations)
def test_denylist_is_asked_only_about_tokens_without_a_row(revocations, settings):
    settings.CACHES = cache(Away)
    backend = FakeBackend("t0ken")
    backend.revocations = revocations
    assert judge(backend) == (
        [identity()] if revocations is Revocations.ROWS else [CloseReason.UNAVAILABLE]
    )


def test_denied_token_is_refused_with_the_reason(settings):
    settings.CACHES = cache(JSONCache)
    backend = FakeBackend("t0ken", "other")
    backend.revocations = Revocations.NOWHERE
    authenticator = Authenticator([backend], timeout=60, denylist_seconds=60)
    authenticator.denylist.deny(identity().authentication)
    verdicts = authenticator.chain.authenticate([credential(), credential("other")])
    assert verdicts[0].code is CloseReason.TOKEN_REVOKED
    assert isinstance(verdicts[1], Identity)


async def test_answer_that_nobody_waits_for_any_more_is_dropped():
    answer = asyncio.get_running_loop().create_future()
    answer.cancel()
    settle(answer, [])
    assert answer.cancelled()
