"""Tokens without rows that are issued while the transaction that ends them is open."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import transaction
from rest_framework_simplejwt.tokens import AccessToken

from channels_token_auth.clock import clock
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.testing import frozen_clock
from channels_token_auth.verification.authenticator import site_authenticator
from channels_token_auth.verification.denylist import first_verified

pytestmark = pytest.mark.database
SIMPLE_JWT = {"BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend"}


@pytest.fixture(autouse=True)
def time(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SIMPLE_JWT]}
    with frozen_clock() as frozen:
        yield frozen
    first_verified.clear()


def wait(time, seconds):
    async_to_sync(time.move)(seconds)


def issue(user):
    token = AccessToken.for_user(user)
    now = datetime.fromtimestamp(clock.calendar(), UTC)
    token.set_iat(at_time=now)
    token.set_exp(from_time=now, lifetime=timedelta(minutes=5))
    return str(token)


def is_denied(raw, user):
    """Return whether the token is refused although the user exists and is active again."""
    User.objects.update_or_create(
        pk=user.pk, defaults={"username": user.username, "is_active": True}
    )
    credential = Credential(location=Location.HEADER, secret=Secret(raw))
    (verdict,) = site_authenticator().chain.authenticate([credential])
    return isinstance(verdict, TokenAuthError)


def deactivate(user):
    user.is_active = False
    user.save()


def delete(user):
    User.objects.get(pk=user.pk).delete()


def delete_many(user):
    User.objects.filter(pk=user.pk).delete()


@pytest.mark.parametrize("end", [deactivate, delete, delete_many])
def test_token_that_another_request_issues_before_the_commit_is_denied(ada, time, end):
    with transaction.atomic():
        with transaction.atomic():
            end(ada)
        wait(time, 2)
        token = issue(ada)
        wait(time, 2)
    assert is_denied(token, ada)


@pytest.mark.parametrize("end", [deactivate, delete])
def test_token_that_is_issued_after_the_commit_is_valid(ada, time, end):
    with transaction.atomic():
        end(ada)
    wait(time, 1)
    assert not is_denied(issue(ada), ada)


def test_token_that_the_view_issues_after_a_new_password_is_valid(ada, time):
    before = issue(ada)
    wait(time, 2)
    with transaction.atomic():
        ada.set_password("another")
        ada.save()
        token = issue(ada)
        wait(time, 2)
    assert not is_denied(token, ada)
    assert is_denied(before, ada)


def change_password(user):
    user.set_password("another")
    user.save()


@pytest.mark.parametrize("end", [deactivate, change_password, delete])
def test_token_is_denied_where_the_site_commits_by_itself(ada, time, end):
    """With autocommit off and outside of atomic blocks, as some old code has it."""
    token = issue(ada)
    wait(time, 2)
    transaction.set_autocommit(False)
    try:
        end(ada)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)
    assert is_denied(token, ada)
