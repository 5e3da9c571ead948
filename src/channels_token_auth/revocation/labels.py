"""Revoke all tokens with a label, such as the tokens of one login at an identity provider."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ..backends.sources.users import named_user
from ..clock import clock
from ..core.authentication import epoch
from ..core.denial import Denial
from ..core.identity import UserKey
from ..core.labels import read_labels
from ..core.revocation import NO_ISSUER, Target
from ..core.revocation.criteria import ANY, given, named_moment, named_text
from ..tasks import asynchronous
from ..tenants.site import here, in_tenant, target_here
from ..verification.authenticator import Authenticator, site_authenticator
from .carry_out import Plan, carry_out
from .kinds import without_rows
from .known_names import known_backends, require_known, require_known_labels
from .pending.margins import deadline_of

__all__ = ["arevoke", "revoke", "revoke_known_labels"]


def revoke(
    *,
    label: Any,
    user: Any = ANY,
    backend: str | Iterable[str] = ANY,
    issuer: str = ANY,
    issued_before: datetime = ANY,
    margin: float | None = None,
) -> None:
    """Revoke the tokens that have all of these labels, and close their sockets on every node.

    `label`: a mapping such as `{"sid": "abc"}`, a pair, or several pairs. Only backends whose
    tokens have no row can revoke by label: the denylist records it until the tokens expire. `user`,
    an instance or a primary key: only tokens of this user, so that a logout token's `sid` and `sub`
    must both match. `backend`: one name or several; by default all such backends. `issuer`: only
    tokens of this issuer; with `backend`, also tokens that name no issuer. `issued_before`: an
    aware datetime; later tokens stay valid. `margin`: seconds for which open sockets may be given a
    new token, as in `revoke_user`. Raises ValueError for a backend that cannot revoke by label, for
    an issuer or a label's name that no token of these backends has, for an `issued_before` without
    a time zone or outside the years 1 to 9999 in UTC, and for a margin over an hour; TypeError
    for malformed labels, for None where another value selects tokens, and for an unsaved user; and
    TokenAuthError ("unavailable") while the denylist's cache fails.
    """
    criteria = given(user=user, backend=backend)
    criteria |= named_text(issuer=issuer) | named_moment(issued_before=issued_before)
    names = _deniable(criteria.get("backend"))
    require_known(backends=names, issuer=criteria.get("issuer"))
    require_known_labels(read_labels(label), backends=names)
    if "backend" in criteria:
        criteria["backend"] = names  # an iterator of names can be read only once
    revoke_known_labels(label=label, margin=margin, **criteria)


arevoke = asynchronous(revoke)


def revoke_known_labels(
    *,
    label: Any,
    user: Any = None,
    backend: str | Iterable[str] | None = None,
    issuer: str | None = None,
    issued_before: datetime | None = None,
    margin: float | None = None,
) -> None:
    """Revoke as `revoke` does, with an issuer and labels that an identity provider has sent."""
    deadline = deadline_of(margin)
    labels = read_labels(label)
    whose = None if user is None else in_tenant(named_user(user))
    before = clock.calendar() if issued_before is None else epoch(issued_before)
    authenticator = site_authenticator()
    names = _deniable(backend)
    # One target without a backend covers the sockets of all, in one message.
    targets = [
        target_here(whose, labels=labels, backend=name, issuer=issuer, issued_before=before)
        for name in ([None] if backend is None else names)
    ]
    # RFC 7662 §2.2: `iss` is optional in an introspection response, and many servers omit it. The
    # named backend accepts tokens of this issuer, so that a token without `iss` may be one.
    is_named = backend is not None and issuer is not None
    unnamed = [replace(each, issuer=NO_ISSUER) for each in targets] if is_named else []
    deny = partial(_deny, authenticator, names, [*targets, *unnamed], whose, here())
    carry_out(Plan(targets=targets, also=unnamed, denied_at=names, deny=deny, deadline=deadline))


def _deny(
    authenticator: Authenticator,
    names: Sequence[str],
    targets: Sequence[Target],
    user: UserKey | None,
    tenant: str | None,
) -> None:
    denylist, (target, *_) = authenticator.denylist, targets
    denial = Denial(before=float(target.issued_before or 0.0))
    issuers = dict.fromkeys(each.issuer for each in targets)
    for name in names:
        denylist.deny_labels(
            target.labels, denial, backend=name, issuers=[*issuers], tenant=tenant, user=user
        )
    # Tokens have whole seconds: of this second, those that were verified before now are older.
    for each in targets:
        denylist.deny_first_verified(each)


def _deniable(wanted: str | Iterable[str] | None) -> list[str]:
    """Return the names of the wanted backends. Raises ValueError if one has tokens with rows."""
    known = list(dict.fromkeys(without_rows(known_backends())))
    named = known if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    for name in named:
        if name not in known:
            raise ValueError(
                f"The backend {name!r} cannot deny tokens by label: name one of {known}."
            )
    if not named:
        raise ValueError(
            "No backend of BACKENDS has tokens without a row, so there is nothing to deny by label:"
            " use revoke_token or revoke_user."
        )
    return named
