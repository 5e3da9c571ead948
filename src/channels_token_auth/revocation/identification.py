"""Find out which tokens a text names: a token itself, or the public id of one.

An id is never presented to a backend as a token. A text that no backend knows is revoked by its
digest where it may be a token, so that no token gets into messages and audit records.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ..backends.contract import TokenBackend
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Identity, UserInactiveError, unavailable
from ..verification.authenticator import Authenticator

__all__ = ["Found", "find", "token_id_of"]

LOCATIONS = (Location.HEADER, Location.COOKIE)
"""Locations in which a backend may expect its tokens: a session's key comes in a cookie only."""

# A digest, or a UUID as most issuers use it for the claim "jti".
_ID = re.compile(r"[0-9a-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The token that was named: `identity`, or the ids that it may have.

    `unavailable`: backends that might know the token, and could not be asked.
    """

    identity: Identity | None = None
    ids: Collection[str] = ()
    unavailable: Collection[str] = ()


def find(authenticator: Authenticator, text: str) -> Found:
    """Ask each backend whose token it is. Raises nothing."""
    if _ID.fullmatch(text):
        # A token may look like an id. Then its own id is the digest.
        may_be_token = any(_may_be_token(each, text) for each in authenticator.backends)
        return Found(ids=[text, Secret(text).digest] if may_be_token else [text])
    failed: list[str] = []
    for backend in authenticator.backends:
        for credential in _credentials(backend, text):
            verdict = authenticator.ask_backend(backend, credential)
            if isinstance(verdict, UserInactiveError):
                return Found(identity=verdict.identity)
            if isinstance(verdict, Identity):
                return Found(identity=verdict)
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient:
                failed.append(backend.name)
    is_token = any(_may_be_token(each, text) for each in authenticator.backends)
    return Found(ids=[Secret(text).digest if is_token else text], unavailable=failed)


def token_id_of(authenticator: Authenticator, token: Any) -> str:
    """Return the id of a token, an id, or a socket's `scope["auth"]`.

    Raises TokenAuthError ("unavailable") while a backend that might know the token is unavailable.
    """
    if not isinstance(token, str):
        return str(token.token_id)
    found = find(authenticator, token)
    if found.identity:
        return found.identity.authentication.token_id
    if found.unavailable:
        raise unavailable()
    return next(iter(found.ids))


def _may_be_token(backend: TokenBackend, text: str) -> bool:
    return any(True for _ in _credentials(backend, text))


def _credentials(backend: TokenBackend, text: str) -> Iterable[Credential]:
    """Yield the text in each location where the backend would claim it."""
    for location in LOCATIONS:
        credential = Credential(location=location, secret=Secret(text))
        if backend.recognizes(credential):
            yield credential
