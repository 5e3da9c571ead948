"""Tokens that nobody finds by their id: asked about again as they were presented.

Their backends give the credential itself as the handle, so that the socket keeps it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ...core.close_codes import CloseReason
from ...core.credentials import Credential
from ...core.errors import TokenAuthError
from ...core.identity import Grant, Identity, Verdict, unavailable
from .users_by_key import UsersByKey

__all__ = ["revalidate_presented"]

_GONE = (CloseReason.TOKEN_INVALID, CloseReason.TOKEN_REVOKED)


def revalidate_presented(
    grants: Sequence[Grant],
    authenticate: Callable[[Sequence[Credential]], Sequence[Verdict]],
    users: UsersByKey,
) -> Sequence[Verdict]:
    """What `authenticate` says of each now. Of what came by a ticket, which has no credential, no
    more than its user is known.
    """
    kept = [i for i, each in enumerate(grants) if each.handle is not None]
    others = [i for i, each in enumerate(grants) if each.handle is None]
    answers = authenticate([grants[i].handle for i in kept]) if kept else ()
    verdicts = dict(zip(kept, answers, strict=True))
    verdicts |= zip(others, users.revalidate([grants[i] for i in others]), strict=True)
    return [_standing(each, verdicts[i]) for i, each in enumerate(grants)]


def _standing(grant: Grant, verdict: Verdict) -> Verdict:
    """Return the verdict on a token that was valid: unknown or another user's means revoked."""
    if isinstance(verdict, Identity):
        is_his = verdict.user.pk == grant.user_pk
        if is_his and not _is_past(verdict.authentication.expires_at):
            return verdict
    elif verdict is not None and verdict.code is CloseReason.RATE_LIMITED:
        return unavailable()  # which says nothing about the token
    elif verdict is not None and verdict.code not in _GONE:
        return verdict
    has_expired = _is_past(grant.authentication.expires_at)
    return TokenAuthError(CloseReason.TOKEN_EXPIRED if has_expired else CloseReason.TOKEN_REVOKED)


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment <= datetime.now(UTC)
