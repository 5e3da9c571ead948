"""Fakes of token backends."""

import threading
import zlib
from collections.abc import Callable

from django.contrib.auth.models import User

from channels_token_auth import BaseTokenBackend, Revocations
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Identity


def credential(token: str = "t0ken", *, location: Location = Location.HEADER) -> Credential:
    scheme = "token" if location is Location.HEADER else None
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def identity(token: str = "t0ken", backend: str = "fake") -> Identity:
    authentication = Authentication(
        backend=backend, token_id=Secret(token).digest, location=Location.HEADER
    )
    handle = f"of {authentication.token_id}"  # whoever passes an identity on passes it on too
    return Identity(user=user(token), authentication=authentication, handle=handle)


def user(token: str) -> User:
    """Return the user of a token: tokens with the same beginning have the same user."""
    name = token.partition("-")[0]
    return User(pk=zlib.crc32(name.encode()), username=f"user {Secret(name).digest}")


class FakeBackend(BaseTokenBackend):
    """Knows the tokens it is given; `before` runs ahead of each batch and may raise or block."""

    schemes = frozenset({"token"})
    revocations = Revocations.ROWS

    def __init__(
        self,
        *tokens: str,
        name: str = "fake",
        claims: Callable[[str], bool] = lambda token: True,
        before: Callable[[list[str]], None] = lambda tokens: None,
    ) -> None:
        super().__init__(name=name)
        self.tokens = tokens
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.claims = claims
        self._before = before

    def recognizes(self, credential):
        return self.claims(credential.secret.reveal())

    def authenticate(self, credentials):
        tokens = [each.secret.reveal() for each in credentials]
        self.batches.append(tokens)
        self.threads.add(threading.current_thread().name)
        self._before(tokens)
        return [identity(each, self.name) if each in self.tokens else None for each in tokens]

    def revalidate(self, grants):
        raise NotImplementedError

    def check(self, site):
        return []
