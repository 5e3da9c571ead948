"""Find the tokens that a text names: the text is a token, or the public id of one.

A text in the shape of an id (`has_shape_of_id`) is never presented to a backend as a token. Any
other text is presented to the backends that recognize it. If none accepts it, it may still be
either: a token's `jti` (any text is allowed), or a token that is valid on another route only. Then
both are revoked.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from ..backends.contract import TokenBackend
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Identity, UserInactiveError, Verdict, unavailable
from ..core.token_names import NamedToken, has_shape_of_id
from ..verification.authenticator import Authenticator
from .known_names import known_backends
from .pending.savepoints import in_savepoints

__all__ = [
    "Excepted",
    "Found",
    "excepted",
    "find",
    "has_shape_of_token",
    "hidden",
    "named_tokens",
]

_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")

LOCATIONS = (Location.HEADER, Location.COOKIE)
"""Locations in which a backend may expect its tokens: a session's key comes in a cookie only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The token that was named: `identity`, or the ids that it may have.

    `names`: sent to other nodes instead of `ids`, because one of the ids may be a token itself.
    `unavailable`: the names of the backends that may have the token, but were unavailable.
    """

    identity: Identity | None = None
    # Not in the repr, which error reporters show.
    ids: Collection[str] = field(default=(), repr=False)
    names: Sequence[str] = ()
    unavailable: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """A token that stays valid when others are revoked.

    `token`: its name, which may be sent to other nodes. `token_id`: its id at its own backend.
    """

    token: NamedToken
    token_id: str = field(repr=False)

    def id_at(self, backend: TokenBackend) -> str | None:
        """Return the id that this backend has to spare; None if the token is not its own."""
        return self.token_id if self.token.backend in (None, backend.name) else None


def hidden(token: Any) -> Any:
    """Return a text as a Secret, which may be a token; anything else as it is.

    Error reporters show the variables of all frames that an exception has passed: so functions that
    are given a token replace their variable before they call anything that may raise. Raises
    ValueError for a text that is not Unicode: it has no digest, and no token has such a text.
    """
    if not isinstance(token, str) or not token:
        return token
    if _HALF_OF_A_PAIR.search(token):
        raise ValueError("The token has half of a surrogate pair: it is no Unicode text.")
    return Secret(token)


def find(authenticator: Authenticator, text: str, *, backend: str | None = None) -> Found:
    """Present the text to each backend, or only to the named one. Raises nothing."""
    known = known_backends()
    named = [each for each in known if each.name == backend]
    backends = named or known
    is_token = any(_may_be_token(each, text) for each in backends)
    digest = Secret(text).digest
    if has_shape_of_id(text):
        # Some backend's tokens have this shape, too. The id of such a token is its digest.
        ids = [text, digest] if is_token else [text]
        return Found(ids=ids, names=ids)
    failed: list[str] = []
    for each in backends:
        for credential in _credentials(each, text):
            verdict = _ask(authenticator, each, credential)
            # The token of an inactive user is refused, but it can be revoked as any other.
            if isinstance(verdict, UserInactiveError):
                return Found(identity=verdict.identity)
            if isinstance(verdict, Identity):
                return Found(identity=verdict)
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient:
                failed.append(each.name)
    if not is_token:
        return Found(ids=[text], names=[text], unavailable=failed)
    # The digest names both the token with this text and the token with this id.
    return Found(ids=[text, digest], names=[digest], unavailable=failed)


def named_tokens(authenticator: Authenticator, token: Any) -> list[NamedToken]:
    """Return the tokens that a text names, or a socket's `scope["auth"]`, for use on all nodes.

    The text may be `hidden`. Raises TokenAuthError ("unavailable") while a backend that might know
    the text is unavailable, and TypeError for anything else.
    """
    token = hidden(token)
    if not isinstance(token, Secret):
        return [_of_object(token)]
    found = find(authenticator, token.reveal())
    if found.identity:
        return [_of_object(found.identity.authentication)]
    if found.unavailable:
        raise unavailable()
    return [NamedToken(token_id=each) for each in found.names]


def excepted(authenticator: Authenticator, token: Any) -> Excepted:
    """Return the token that is to stay valid. Takes and raises what `named_tokens` does."""
    token = hidden(token)
    # Several only if the tokens of a backend look like ids: then the first is the text as an id.
    first, *_ = named_tokens(authenticator, token)
    # No backend accepts the text as a token. So it can only be an id, as their rows have it.
    is_id = isinstance(token, Secret) and first.token_id == token.digest and not first.backend
    return Excepted(token=first, token_id=token.reveal() if is_id else first.token_id)


def has_shape_of_token(authenticator: Authenticator, text: str) -> bool:
    """Return whether the text is a valid token, or has the format of some backend's tokens."""
    hidden(text)
    # A backend that recognizes any text of this length shows nothing about this one.
    other = "~" * len(text)
    if has_shape_of_id(text):
        return False
    return find(authenticator, text).identity is not None or any(
        _may_be_token(each, text) and not _may_be_token(each, other) for each in known_backends()
    )


def _of_object(token: Any) -> NamedToken:
    token_id = getattr(token, "token_id", None)
    if token_id is None:
        raise TypeError(
            f"A {type(token).__name__} names no token: give the token itself, its token_id, or"
            ' scope["auth"].'
        )
    return NamedToken(
        token_id=str(token_id),
        backend=getattr(token, "backend", None),
        issuer=getattr(token, "issuer", None),
    )


def _ask(authenticator: Authenticator, backend: TokenBackend, credential: Credential) -> Verdict:
    """Return the verdict of a backend. If it fails, the caller's transaction stays usable."""
    try:
        with in_savepoints():
            verdict = authenticator.ask_backend(backend, credential)
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient:
                raise verdict  # rolls the savepoint back, because a query may have failed in it
            return verdict
    except TokenAuthError as error:
        return error
    except DatabaseError:
        return unavailable()  # the caller's transaction had failed already: no savepoint opens


def _may_be_token(backend: TokenBackend, text: str) -> bool:
    return any(True for _ in _credentials(backend, text))


def _credentials(backend: TokenBackend, text: str) -> Iterable[Credential]:
    """Yield the text as a credential in each location where the backend recognizes it."""
    for location in LOCATIONS:
        credential = Credential(location=location, secret=Secret(text))
        if backend.recognizes(credential):
            yield credential
