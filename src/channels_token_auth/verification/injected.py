"""Let one process authenticate as a user without a token: `manage.py token_connect --user`.

This gives no new rights: a person with a shell can read the tokens in the database, or issue one.
In every other process this module has no effect, because no secret was generated there.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..backends.base import BaseTokenBackend
from ..backends.contract import Revocations
from ..backends.sources.users import admit
from ..backends.sources.users_by_key import UsersByKey
from ..core.authentication import Authentication
from ..core.credentials import Credential, Location, Secret
from ..core.handshake.extraction import Handshake
from ..core.identity import Grant, Verdict

__all__ = ["InjectedBackend", "backends", "inject", "present"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Injected:
    user: Any
    scopes: frozenset[str]
    secret: Secret


class InjectedBackend(BaseTokenBackend):
    """Accept the secret that `inject` generated in this process, and no other."""

    name = "operator"
    schemes = frozenset[str]()
    revocations = Revocations.ROWS  # no denylist: there is no token to deny
    is_local = True

    def __init__(self, injected: _Injected) -> None:
        super().__init__()
        self._injected = injected
        self._users = UsersByKey()

    def recognizes(self, credential: Credential) -> bool:
        """Recognize the secret itself."""
        return credential.secret == self._injected.secret

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Admit the user, if active."""
        return [self._admit(credential) for credential in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Check that the user still exists and is active."""
        return self._users.revalidate(grants)

    def _admit(self, credential: Credential) -> Verdict:
        authentication = Authentication(
            backend=self.name,
            token_id=credential.secret.digest,
            location=credential.location,
            scopes=self._injected.scopes,
        )
        return admit(self._injected.user, authentication)


_injected: _Injected | None = None


@contextmanager
def inject(user: Any, scopes: Iterable[str] = ()) -> Iterator[None]:
    """Authenticate every handshake of this process as the user, inside of the block.

    Load the application in the block, since a route that exists already does not have the backend.
    """
    global _injected  # noqa: PLW0603 - one for the process, which is never a server
    # Random, although only this process has it: the application may pass the handshake on.
    secret = Secret(secrets.token_urlsafe(32))
    _injected = _Injected(user=user, scopes=frozenset(scopes), secret=secret)
    try:
        yield
    finally:
        _injected = None


def backends() -> Sequence[InjectedBackend]:
    """Return the backend of the injected user, if there is one."""
    return [InjectedBackend(_injected)] if _injected else []


def present(handshake: Handshake) -> Handshake:
    """Replace the handshake's credential by the injected one, if there is one."""
    if _injected:
        handshake.credential = Credential(location=Location.HEADER, secret=_injected.secret)
        # The operator connects whatever their handshake lacks: a page's Origin, for example.
        handshake.problem, handshake.is_hostile, handshake.rivals = None, False, ()
    return handshake
