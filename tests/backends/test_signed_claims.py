"""Claims of tokens that this site, or allauth in it, signs: the same rules as for any JWT."""

import math
import time

import pytest
from django.utils.module_loading import import_string

from channels_token_auth import CloseReason, Credential, Location, Secret
from tests.backends.checking import outcome
from tests.matrix.kind import new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import site

pytestmark = pytest.mark.django_db
INVALID, UNAVAILABLE = CloseReason.TOKEN_INVALID, CloseReason.UNAVAILABLE


@pytest.fixture(params=["jwt", "simplejwt", "allauth_jwt"])
def kind(request):
    (found,) = (kind for kind in KINDS if kind.name == request.param)
    with site(found):
        yield found


@pytest.fixture
def ada(kind):
    return new_user()


@pytest.fixture
def judge(kind, ada):
    """The verdict on a token of ada's with these claims."""

    def judge(**claims):
        token = kind._forged(ada, **claims)
        backend = import_string(kind.path)(**kind.options)
        (verdict,) = backend.authenticate(
            [Credential(location=Location.HEADER, secret=Secret(token))]
        )
        return verdict

    return judge


def now():
    return int(time.time())


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_clock_that_is_a_little_ahead_does_not_matter(judge, ada, name):
    assert judge(**{name: now() + 3}).user == ada


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_clock_that_is_further_ahead_costs_a_wait(judge, name):
    verdict = judge(**{name: now() + 30})
    assert (verdict.code, verdict.detail.slug) == (UNAVAILABLE, "not_yet_valid")
    assert 0 < verdict.retry_after <= 30


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_token_of_a_far_future_is_invalid(judge, name):
    verdict = judge(**{name: now() + 3600, "exp": now() + 7200})
    assert (verdict.code, verdict.detail.slug) == (INVALID, "not_yet_valid")


@pytest.mark.parametrize("wrong", [True, math.nan, math.inf, 10**20, "1800000000", [1]])
def test_expiry_that_is_no_date_is_refused(judge, wrong):
    # The package of simplejwt reads True as 1, a time that has passed.
    assert outcome(judge(exp=wrong)) in {None, INVALID, CloseReason.TOKEN_EXPIRED}


def test_expiry_is_exact_to_the_second(judge):
    exp = now() + 60
    assert judge(exp=exp).authentication.expires_at.timestamp() == exp


def test_expired_token_is_called_so(judge):
    verdict = judge(exp=now() - 1, iat=now() - 60)
    assert (verdict.code, verdict.detail.slug) == (CloseReason.TOKEN_EXPIRED, "expired")


def test_token_that_nobody_signed_has_a_reason_for_developers(kind, ada):
    backend = import_string(kind.path)(**kind.options)
    token = Credential(location=Location.HEADER, secret=Secret(kind.unknown(ada)))
    (verdict,) = backend.authenticate([token])
    assert (outcome(verdict), verdict.detail.slug) == (None, "bad_signature")
