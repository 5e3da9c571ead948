"""A token store that a test stops at two gates: asked but not read yet, and read but not told."""

import threading
from datetime import UTC, datetime

from django.contrib.auth.models import User

from channels_token_auth import BaseTokenBackend, Revocations
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location, Secret
from channels_token_auth.core.identity import Identity

__all__ = ["Gate", "gated", "identity"]

DEADLINE = 60


class Gate:
    """Stops the verifying thread once, until `open` is called."""

    def __init__(self):
        self._is_reached = threading.Event()
        self._is_open = threading.Event()

    def stop(self):
        self._is_reached.set()
        assert self._is_open.wait(DEADLINE)

    def reached(self):
        return self._is_reached.is_set()

    def open(self):
        self._is_open.set()


class Gated:
    """`tokens`: token → its user's key. `before`, `after`: the gates of the next to be verified."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.tokens = {}
        self.before = self.after = None

    def stop_next(self):
        self.before, self.after = Gate(), Gate()

    def read(self, token):
        before, after, self.before, self.after = self.before, self.after, None, None
        if before:
            before.stop()
        user_pk = self.tokens.get(token)
        if after:
            after.stop()
        return user_pk


gated = Gated()


def identity(token, user_pk, location=Location.HEADER):
    return Identity(
        user=User(pk=user_pk),
        authentication=Authentication(
            backend="gated",
            token_id=Secret(token).digest,
            location=location,
            issued_at=datetime.now(UTC),
        ),
    )


class GatedBackend(BaseTokenBackend):
    schemes = frozenset({"token"})
    revocations = Revocations.ROWS
    name = "gated"

    def recognizes(self, credential):
        return True

    def authenticate(self, credentials):
        return [self._verdict(each.secret.reveal(), each.location) for each in credentials]

    def revalidate(self, held):
        """Verify the tokens of tickets, which the test knows by their ids."""
        tokens = {Secret(token).digest: token for token in list(gated.tokens)}
        asked = [tokens.get(each.authentication.token_id, "") for each in held]
        return [
            self._verdict(token, each.authentication.location)
            for token, each in zip(asked, held, strict=True)
        ]

    def _verdict(self, token, location):
        user_pk = gated.read(token)
        return None if user_pk is None else identity(token, user_pk, location)
