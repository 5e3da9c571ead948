"""Find out which tokens a text names: a token itself, or the public id of one.

An id is never presented to a backend as a token. A text that no backend knows is revoked by its
digest where it may be a token, so that no token gets into messages and audit records.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from ..backends.contract import TokenBackend
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Identity, UserInactiveError, Verdict, unavailable
from ..verification.authenticator import Authenticator
from .pending.savepoints import in_savepoints

__all__ = ["Found", "find", "is_secret", "token_id_of"]

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


def find(authenticator: Authenticator, text: str, *, backend: str | None = None) -> Found:
    """Ask each backend whose token it is, or only the one of this name. Raises nothing."""
    named = [each for each in authenticator.backends if each.name == backend]
    backends = named or authenticator.backends
    is_token = any(_may_be_token(each, text) for each in backends)
    if _ID.fullmatch(text):
        # A token may look like an id. Then its own id is the digest.
        return Found(ids=[text, Secret(text).digest] if is_token else [text])
    failed: list[str] = []
    for each in backends:
        for credential in _credentials(each, text):
            verdict = _ask(authenticator, each, credential)
            if isinstance(verdict, UserInactiveError):
                return Found(identity=verdict.identity)
            if isinstance(verdict, Identity):
                return Found(identity=verdict)
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient:
                failed.append(each.name)
    return Found(ids=[Secret(text).digest if is_token else text], unavailable=failed)


def is_secret(authenticator: Authenticator, text: str) -> bool:
    """Return whether the text is a token itself, or may be one, and not an id. Raises nothing."""
    found = find(authenticator, text)
    return found.identity is not None or text not in found.ids


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


def _ask(authenticator: Authenticator, backend: TokenBackend, credential: Credential) -> Verdict:
    """Return the verdict of a backend. If it fails, the caller's transaction goes on."""
    try:
        with in_savepoints():
            verdict = authenticator.ask_backend(backend, credential)
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient:
                raise verdict  # a query may have failed, so that the savepoint is needed
            return verdict
    except TokenAuthError as error:
        return error
    except DatabaseError:
        return unavailable()  # the caller's transaction was broken before


def _may_be_token(backend: TokenBackend, text: str) -> bool:
    return any(True for _ in _credentials(backend, text))


def _credentials(backend: TokenBackend, text: str) -> Iterable[Credential]:
    """Yield the text in each location where the backend would claim it."""
    for location in LOCATIONS:
        credential = Credential(location=location, secret=Secret(text))
        if backend.recognizes(credential):
            yield credential
