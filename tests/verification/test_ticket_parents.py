"""What a ticket keeps of its parent: everything that a revocation may name it by."""

import time
from datetime import UTC, datetime

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from channels_token_auth import CloseReason, Credential, Location, Secret
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.verification.authenticator import Authenticator

pytestmark = pytest.mark.django_db
SECRET = "k" * 32


@pytest.fixture
def authenticator():
    backend = JWTBackend(algorithms=["HS256"], key=SECRET, labels=["tenant"])
    yield Authenticator([backend], timeout=60)
    cache.clear()


@pytest.fixture
def parent(authenticator):
    """The identity of a JWT that names all that it can."""
    ada = get_user_model().objects.create(username="ada")
    now = int(time.time())
    claims = {"sub": str(ada.pk), "iat": now, "exp": now + 600, "jti": "a1", "iss": "https://id"}
    claims |= {"sid": "s1", "azp": "app", "tenant": "red", "acr": "mfa", "auth_time": now - 9}
    return authenticator.authenticate_now(presented(jwt.encode(claims, SECRET, "HS256")))


def presented(token, location=Location.HEADER):
    return Credential(location=location, secret=Secret(token))


def redeemed(authenticator, parent):
    ticket = authenticator.tickets.issue(parent, origin=None)
    return authenticator.authenticate_now(presented(ticket, Location.TICKET))


def test_socket_of_a_ticket_shows_what_its_parent_says(authenticator, parent):
    of_ticket, of_token = redeemed(authenticator, parent).authentication, parent.authentication
    assert of_ticket.labels == {"sid": "s1", "client_id": "app", "tenant": "red"}
    assert (of_ticket.issuer, of_ticket.acr) == ("https://id", "mfa")
    assert of_ticket.auth_time == of_token.auth_time < datetime.now(UTC)


def test_ticket_of_a_denied_token_is_refused_whoever_issued_that(authenticator, parent):
    ticket = authenticator.tickets.issue(parent, origin=None)
    authenticator.denylist.deny(parent.authentication)
    verdict = authenticator.authenticate_now(presented(ticket, Location.TICKET))
    assert verdict.code is CloseReason.TOKEN_REVOKED
