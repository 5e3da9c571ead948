"""End tokens, and the sockets that they opened, on every node: from any process, thread or loop.

Rows are written in the caller's transaction. What is denied and said waits for its commit, and does
not happen if it is rolled back. A channel layer that is away breaks nothing: nodes sweep.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async

from ..backends.contract import Revocations
from ..backends.sources.users import concrete, named_user, primary_key
from ..core.authentication import Authentication, epoch
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.denial import Denial
from ..core.identity import Grant, Identity, UserKey, unavailable
from ..core.labels import read_labels
from ..core.revocation import Revocation, Target
from ..verification.authenticator import Authenticator, site_authenticator
from ..verification.denylist import CacheUnavailable
from .kinds import backends_of
from .on_commit import Deny, after_commit, gathered, site_database

__all__ = [
    "adisconnect",
    "arevoke_token",
    "arevoke_user",
    "disconnect",
    "revoke_token",
    "revoke_user",
    "token_id",
]

_Ended = tuple[dict[str, Grant], Deny, Target]
"""The grants by the name of the backend that is asked; how they are denied; and their sockets."""

# What a digest and a UUID look like: an id, unless it is a token that somebody knows.
_ID = re.compile(r"[0-9a-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def revoke_token(token: str, *, user: Any = None) -> None:
    """End a token and close its sockets. It is given itself, or by its `token_id`.

    `user`, an instance or a primary key: whose it is. Of a `token_id` alone, backends may have to
    read through their rows. Raises TokenAuthError ("unavailable") while a token's store or the
    denylist's cache is away, and what the database raises.
    """
    authenticator = site_authenticator()
    grants, deny, target = _found(authenticator, token) or _named(authenticator, token, user)

    def end_rows() -> bool:
        backends = (each for each in authenticator.backends if each.name in grants)
        has_row = [backend.revoke([grants[backend.name]])[0] for backend in backends]
        return all(has_row)

    _revoke(target, end_rows, deny)


def revoke_user(
    user: Any, *, except_token: Any = None, issued_before: datetime | None = None
) -> None:
    """End the tokens of a user, an instance or a primary key, and close the sockets.

    `except_token`: one that stays, itself or its `token_id`, or a socket's `scope["auth"]`.
    `issued_before`: an aware datetime; later tokens stay, and one of that second counts as before.
    Raises as `revoke_token` does.
    """
    whose = named_user(user)
    user_pk = _pk_of(user)
    authenticator = site_authenticator()
    excepted = None if except_token is None else _token_id(authenticator, except_token)
    before = epoch(issued_before)
    until = time.time() if before is None else before
    denial = Denial(before=until, except_token_id=excepted)
    deny = partial(_deny_user, authenticator, whose, denial)
    target = Target.of_user(whose, except_token_id=excepted, issued_before=before)

    def end_rows() -> bool:
        has_rows = [
            backend.revoke_user(user_pk, except_token_id=excepted, issued_before=issued_before)
            for backend in backends_of(whose, authenticator.backends)
        ]
        return all(has_rows)

    _revoke(target, end_rows, deny)


def disconnect(
    *,
    user: Any = None,
    token: Any = None,
    connection_id: str | None = None,
    address: str | None = None,
    label: Any = None,
    code: CloseReason = CloseReason.TOKEN_REVOKED,
) -> None:
    """Close the sockets that match every argument, and revoke nothing: clients may come again.

    `label`: as in `revoke`. The clients get `code`: after "token_revoked" they stop, after
    "unavailable" they reconnect by themselves. Raises TypeError if no argument names a socket.
    """
    if user is token is connection_id is address is label is None:
        raise TypeError("disconnect() needs a user, token, label, connection_id or address.")
    target = Target.of_user(
        None if user is None else named_user(user),
        labels=frozenset() if label is None else read_labels(label),
        token_id=None if token is None else _token_id(site_authenticator(), token),
        connection_id=connection_id,
        address=address,
    )
    after_commit(
        [Revocation(target=target, code=CloseReason(code))],
        [],
        using=site_database(),
        is_told=False,
    )


async def arevoke_token(token: str, *, user: Any = None) -> None:
    """`revoke_token` for asynchronous code."""
    await sync_to_async(revoke_token)(token, user=user)


async def arevoke_user(
    user: Any, *, except_token: Any = None, issued_before: datetime | None = None
) -> None:
    """`revoke_user` for asynchronous code."""
    revoke = sync_to_async(revoke_user)
    await revoke(user, except_token=except_token, issued_before=issued_before)


async def adisconnect(**which: Any) -> None:
    """`disconnect` for asynchronous code."""
    await sync_to_async(disconnect)(**which)


def _pk_of(user: Any) -> Any:
    """Return the primary key as a backend's rows have it."""
    user = concrete(user)
    return primary_key(getattr(user, "pk", user))


def _deny_user(authenticator: Authenticator, user: UserKey, denial: Denial) -> None:
    authenticator.denylist.deny_user(user, denial)
    authenticator.denylist.deny_first_verified(
        Target.of_user(user, except_token_id=denial.except_token_id, issued_before=denial.before)
    )


def token_id(token: str) -> str:
    """The `token_id` of a token; of what is none, or is one already, the same. Raises
    TokenAuthError ("unavailable") while a token's store is away.
    """
    return _token_id(site_authenticator(), token)


def _found(authenticator: Authenticator, token: str) -> _Ended | None:
    """A token that its backend knows."""
    identity = _identify(authenticator, token)
    if identity is None:
        return None
    authentication = identity.authentication
    grant = Grant(user_pk=identity.user.pk, authentication=authentication, handle=identity.handle)
    target = Target.of_user(
        identity.user_key,
        token_id=authentication.token_id,
        backend=authentication.backend,
        issuer=authentication.issuer,
    )
    deny = partial(authenticator.denylist.deny, authentication)
    return {authentication.backend: grant}, deny, target


def _named(authenticator: Authenticator, token: str, user: Any) -> _Ended:
    """What no backend knows, and may be any one's."""
    token_id = _id_of_unknown(authenticator, token)
    user_pk = None if user is None else _pk_of(user)
    grants = {
        backend.name: Grant(
            user_pk=user_pk,
            authentication=Authentication(
                backend=backend.name, token_id=token_id, location=Location.HEADER
            ),
        )
        for backend in authenticator.backends
    }

    def deny() -> None:
        for backend in authenticator.backends:
            if backend.revocations is not Revocations.ROWS:
                authenticator.denylist.deny_token(token_id, backend=backend.name)

    whose = None if user is None else named_user(user)
    return grants, deny, Target.of_user(whose, token_id=token_id)


def _identify(authenticator: Authenticator, token: str) -> Identity | None:
    """Return whose token it is, also if it has expired or its user is inactive; None: nobody's."""
    for location in (Location.HEADER, Location.COOKIE):  # the key of a session is a cookie only
        identity = authenticator.identify_now(_credential(token, location))
        if identity:
            return identity
    return None


def _token_id(authenticator: Authenticator, token: Any) -> str:
    if not isinstance(token, str):
        return str(token.token_id)
    identity = _identify(authenticator, token)
    return identity.authentication.token_id if identity else _id_of_unknown(authenticator, token)


def _id_of_unknown(authenticator: Authenticator, token: str) -> str:
    """An id is its own; of a token that nobody knows any more, the digest, since ids get about."""
    is_token = any(each.recognizes(_credential(token)) for each in authenticator.backends)
    return Secret(token).digest if is_token and not _ID.fullmatch(token) else token


def _credential(token: str, location: Location = Location.HEADER) -> Credential:
    return Credential(location=location, secret=Secret(token))


def _revoke(target: Target, end_rows: Callable[[], bool], deny: Deny) -> None:
    """End the rows, deny what has none, and say it once, although each row tells of its end."""
    try:
        with gathered():
            denials = [] if end_rows() else [deny]
            ending = Revocation(target=target, code=CloseReason.TOKEN_REVOKED)
            after_commit([ending], denials, using=site_database())
    except CacheUnavailable as error:
        raise unavailable() from error
