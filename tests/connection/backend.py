"""A token store that a test fills: whose each token is, and for how long."""

import threading
from datetime import UTC, datetime

from django.contrib.auth.models import User

from channels_token_auth import BaseTokenBackend, Revocations
from channels_token_auth.clock import clock
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity


class Store:
    """`tokens`: token → user (or only the primary key), lifetime in seconds and scopes; or the
    error that refuses it. `opened`: while it is not set, verification waits. `asked`: set as
    soon as it does."""

    def __init__(self):
        self.tokens = {}
        self.opened = threading.Event()
        self.opened.set()
        self.asked = threading.Event()

    @property
    def holds(self):
        """Return whether a verification is waiting."""
        return self.asked.is_set() and not self.opened.is_set()


store = Store()


class StoreBackend(BaseTokenBackend):
    schemes = frozenset({"token"})
    revocations = Revocations.ROWS
    name = "store"

    def recognizes(self, credential):
        return True

    def authenticate(self, credentials):
        store.asked.set()
        store.opened.wait(60)
        store.asked.clear()
        return [self._verdict(each) for each in credentials]

    def _verdict(self, credential):
        known = store.tokens.get(credential.secret.reveal())
        if known is None or isinstance(known, TokenAuthError):
            return known
        user, seconds, *scopes = known
        expires_at = seconds and datetime.fromtimestamp(clock.calendar() + seconds, UTC)
        return Identity(
            user=_user(user, credential) if isinstance(user, int) else user,
            authentication=Authentication(
                backend=self.name,
                token_id=credential.secret.digest,
                location=credential.location,
                scopes=frozenset(scopes),
                expires_at=expires_at,
            ),
        )

    def revalidate(self, grants):
        raise NotImplementedError

    def check(self, site):
        return []


def _user(pk, credential):
    return User(pk=pk, username=f"user {pk}", first_name=credential.secret.digest)
