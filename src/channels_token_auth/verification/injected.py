"""Let one process vouch for a user without a token: `manage.py token_connect --user`.

Whoever has a shell can do more than this: read the tokens, or issue one. In every other process
nothing is injected, and nothing here has an effect: no client can present what was never made.
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
    """Accept the secret of this process, made by `inject`, and no other."""

    name = "operator"
    schemes = frozenset[str]()
    revocations = Revocations.ROWS  # there is no token that the denylist could name
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
        """Ask if the user still exists and is active, as for a session's ticket."""
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
    """Inside it, authenticate every handshake of this process as the user's.

    Load the application inside it: a route that is built already does not know of the user.
    """
    global _injected  # noqa: PLW0603 - there is one for the whole process, and never in a server's
    secret = Secret(secrets.token_urlsafe(32))
    _injected = _Injected(user=user, scopes=frozenset(scopes), secret=secret)
    try:
        yield
    finally:
        _injected = None


def backends() -> Sequence[InjectedBackend]:
    """Return the backend of the injected user; none if there is none."""
    return [InjectedBackend(_injected)] if _injected else []


def present(handshake: Handshake) -> Handshake:
    """Put the injected credential into the handshake, whatever the client sent; else leave it."""
    if _injected:
        handshake.credential = Credential(location=Location.HEADER, secret=_injected.secret)
        handshake.problem, handshake.is_hostile, handshake.rivals = None, False, ()
    return handshake
