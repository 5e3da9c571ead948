"""Revalidate tokens that cannot be found by their id, with the credential that was presented.

Their backends return the credential itself as the handle, so that the socket keeps it.
"""

from collections.abc import Callable, Sequence

from ...clock import clock
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
    """Return the verdict of `authenticate` on each credential. If a grant has none, because its
    backend keeps none, only its user is checked.
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
        # The same credential may be another user's by now, as a session is after another login.
        is_owner = verdict.user.pk == grant.user_pk
        if is_owner and not verdict.authentication.is_expired(clock.calendar()):
            return verdict
    elif verdict is not None and verdict.code is CloseReason.RATE_LIMITED:
        return unavailable()  # which is no verdict on the token
    elif verdict is not None and verdict.code not in _GONE:
        return verdict
    has_expired = grant.authentication.is_expired(clock.calendar())
    return TokenAuthError(CloseReason.TOKEN_EXPIRED if has_expired else CloseReason.TOKEN_REVOKED)
