"""Revoke one token, by its row or by a denial, and close its sockets on every node."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..backends.contract import Revocations, TokenBackend
from ..backends.sources.users import named_user, row_key
from ..core.authentication import Authentication
from ..core.credentials import Location, Secret
from ..core.identity import Grant, Identity, UserKey
from ..core.revocation import Target
from ..core.revocation.criteria import ANY, given, named_text
from ..tasks import asynchronous
from ..tenants.site import here, target_here
from ..verification.authenticator import Authenticator, site_authenticator
from .carry_out import Plan, carry_out
from .identification import Found, find, hidden
from .kinds import backends_of, without_rows
from .known_names import known_backends, require_known

__all__ = ["arevoke_token", "revoke_known_token", "revoke_token"]


def revoke_token(token: str, *, user: Any = ANY, backend: str = ANY, issuer: str = ANY) -> None:
    """Revoke a token, and close its sockets on every node. `token`: the token, or its `token_id`.

    A text that may be either, such as an issuer's "login:7" on a site with sessions, revokes both.
    `user`, an instance or a primary key: the token's user. With a `token_id` and without a user,
    backends may have to read all their rows. `backend`, `issuer`: the name of the token's backend
    and the token's issuer, because a `token_id` is unique within these only; other backends are not
    searched then. Raises TokenAuthError ("unavailable") if a token store or the denylist's cache
    failed, so that not everything is revoked; the sockets close nevertheless. Raises TypeError for
    anything but a text, for an empty one, and for a user, backend or issuer that is None; and
    ValueError for a backend or an issuer that this process does not know, and for a text that is
    not Unicode.
    """
    secret = _read(token)
    del token  # error reporters show the variables of each frame
    named = named_text(backend=backend, issuer=issuer)
    require_known(backends=[backend] if "backend" in named else None, issuer=named.get("issuer"))
    _revoke(secret, **given(user=user), **named)


arevoke_token = asynchronous(revoke_token)


def revoke_known_token(
    token: str, *, user: Any = None, backend: str | None = None, issuer: str | None = None
) -> None:
    """Revoke as `revoke_token` does, with the names that a socket or an issuer has sent.

    They are right even if this process does not know them: a route of another process may have the
    backend.
    """
    _revoke(_read(token), user=user, backend=backend, issuer=issuer)


def _read(token: Any) -> Secret:
    if not isinstance(token, str) or not token:
        what = "An empty text" if token == "" else f"A {type(token).__name__}"
        raise TypeError(f"{what} names no token: give the token itself, or its token_id.")
    secret: Secret = hidden(token)
    return secret


def _revoke(
    secret: Secret, *, user: Any = None, backend: str | None = None, issuer: str | None = None
) -> None:
    authenticator = site_authenticator()
    found = find(authenticator, secret.reveal(), backend=backend)
    if found.identity:
        plan = _of_identity(authenticator, found.identity)
    else:
        plan = _of_ids(authenticator, found, user=user, backend=backend, issuer=issuer)
    carry_out(replace(plan, about=[secret]))


def _chosen(name: str | None, user: UserKey | None) -> Sequence[TokenBackend]:
    """Return the backend of this name; without a name, those that may have tokens of the user."""
    backends = known_backends()
    if name is not None:
        return [each for each in backends if each.name == name]
    return _having(backends, user)


def _having(backends: Sequence[TokenBackend], user: UserKey | None) -> Sequence[TokenBackend]:
    """Return those that may have tokens of the user. Others have no column for such a key."""
    return backends if user is None else backends_of(user, backends)


def _of_identity(authenticator: Authenticator, identity: Identity) -> Plan:
    """Plan the revocation of a token that was presented and verified."""
    token = identity.authentication
    grant = Grant(user_pk=identity.user.pk, authentication=token, handle=identity.handle)
    target = Target.of_user(
        identity.user_key, token_id=token.token_id, backend=token.backend, issuer=token.issuer
    )
    own = [each for each in known_backends() if each.name == token.backend]
    # A store (`Revocations.STORE`) may delete the token; if it cannot, its step asks for a denial.
    return Plan(
        targets=[target],
        steps=[(each, partial(_revoke_one, each, grant)) for each in own],
        denied_at=[each.name for each in own if each.revocations is Revocations.NOWHERE],
        deny=partial(authenticator.denylist.deny, token),
    )


def _of_ids(
    authenticator: Authenticator,
    found: Found,
    *,
    user: Any,
    backend: str | None,
    issuer: str | None,
) -> Plan:
    """Plan the revocation of a token of which only the id is known."""
    whose = None if user is None else named_user(user)
    user_pk = None if user is None else row_key(user)
    ids, backends = found.ids, _chosen(backend, whose)
    asked, denied_at, tenant = _having(backends, whose), without_rows(backends), here()
    if backend is not None and not backends:
        # Another route may have this backend; or it is that of sessions: every route accepts
        # their tickets.
        denied_at = [backend]

    def deny() -> None:
        for name in denied_at:
            for each in ids:
                authenticator.denylist.deny_token(each, backend=name, issuer=issuer, tenant=tenant)

    # Only the first is reported: one call is one audit record, and the others are further names of
    # the same text.
    first, *more = (
        target_here(whose, token_id=each, backend=backend, issuer=issuer) for each in found.names
    )
    return Plan(
        targets=[first],
        also=more,
        steps=[(each, partial(_revoke_ids, each, ids, user_pk)) for each in asked],
        denied_at=denied_at,
        deny=deny,
        unasked=found.unavailable,
    )


def _revoke_one(backend: TokenBackend, grant: Grant) -> bool:
    return backend.revoke([grant])[0]


def _revoke_ids(backend: TokenBackend, ids: Collection[str], user_pk: Any) -> bool:
    # Each backend looks tokens up by their id: the location is required, but not read.
    name, location = backend.name, Location.HEADER
    tokens = [Authentication(backend=name, token_id=each, location=location) for each in ids]
    return all(backend.revoke([Grant(user_pk=user_pk, authentication=each) for each in tokens]))
