"""A ticket keeps every property of its parent by which a revocation may name it."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth import CloseReason, Credential, Identity, Location, Secret
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.backends.simplejwt import SimpleJWTBackend
from channels_token_auth.verification.authenticator import Authenticator
from tests.backends.own_users.models import Member, Place

from .backends import FakeBackend, identity

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


@pytest.mark.parametrize("key", ["007", "7", 7, "\uff17", " 7", "0_7"])
def test_ticket_opens_for_exactly_the_same_user_of_another_service(key):
    service = Authenticator([SimpleJWTBackend(stateless=True)], timeout=60)
    token = AccessToken()
    token["user_id"] = key
    of_token = service.authenticate_now(presented(str(token)))
    of_ticket = redeemed(service, of_token)
    assert (of_ticket.user.pk, of_ticket.user_key) == (key, of_token.user_key)


@pytest.mark.parametrize("user", [Member(pk=uuid4()), Session(pk="007"), Place(row="a", number=7)])
def test_ticket_returns_the_key_of_a_user_of_another_model(user):
    authenticator = Authenticator([OfModel(user)], timeout=60)
    of_token = authenticator.authenticate_now(presented("any"))
    assert redeemed(authenticator, of_token).user.pk == user.pk


class OfModel(FakeBackend):
    """Accepts any token, as that of one user; and of another user with the key that it is given."""

    def __init__(self, user):
        super().__init__()
        self.user = user

    def authenticate(self, credentials):
        return [replace(identity(each.secret.reveal()), user=self.user) for each in credentials]

    def revalidate(self, grants):
        kind = type(self.user)
        return [
            Identity(user=kind(pk=each.user_pk), authentication=each.authentication)
            for each in grants
        ]
