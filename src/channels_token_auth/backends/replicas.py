"""Ask the primary database before a rejection: the row of a replica that lags may be an old one.

A row that is missing on a replica is looked for on the primary by the look-up itself. This module
is about rows that are there: the user was activated, the password or the session renewed, the
expiry moved a moment ago.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, Verdict
from .contract import TokenBackend, Unrecognized
from .sources.lookup import reading

__all__ = ["ask_primary_before_rejection", "revalidate"]


def ask_primary_before_rejection(
    backend: TokenBackend, question: Callable[[Sequence[Any]], Sequence[Any]], asked: Sequence[Any]
) -> list[Any]:
    """Return the backend's verdicts. What it rejects by a replica's rows, it is asked again."""
    with reading(from_primary=False) as reads:
        answers = [_own(backend, each) for each in question(asked)]
        has_old_rows = reads.has_old_rows
    # A wrong number of answers is an error, which the caller reports.
    if not has_old_rows or len(answers) != len(asked):
        return answers
    doubtful = [i for i, each in enumerate(answers) if _is_doubtful(backend, each)]
    if doubtful:
        with reading(from_primary=True):
            again = question([asked[i] for i in doubtful])
        for i, answer in zip(doubtful, again, strict=True):
            answers[i] = _own(backend, answer)
    return answers


def revalidate(backend: TokenBackend, grants: Sequence[Grant]) -> list[Verdict]:
    """Return the backend's verdicts on grants. A token that is another user's by now is revoked.

    Without that, a socket would go on as its former user, and a ticket open one for the new user.
    """
    verdicts = ask_primary_before_rejection(backend, backend.revalidate, grants)
    return [_of_its_user(*each) for each in zip(grants, verdicts, strict=True)]


def _own(backend: TokenBackend, verdict: Verdict) -> Verdict:
    """Return the verdict, which must bear the backend's name: sweeps find the backend by it."""
    if isinstance(verdict, Identity) and verdict.authentication.backend != backend.name:
        other = verdict.authentication.backend
        raise TypeError(f"The backend {backend.name!r} named {other!r} in an Authentication.")
    return verdict


def _of_its_user(grant: Grant, verdict: Verdict) -> Verdict:
    if not isinstance(verdict, Identity):
        return verdict
    key = getattr(verdict.user, "pk", None)
    # As text too: a backend of the site may return the key of the row as another type.
    is_same = key is None or key == grant.user_pk or str(key) == str(grant.user_pk)
    return verdict if is_same else TokenAuthError(CloseReason.TOKEN_REVOKED)


def _is_doubtful(backend: TokenBackend, verdict: Any) -> bool:
    """Return True for a rejection that another row could have caused."""
    if isinstance(verdict, Identity | Unrecognized):
        return False
    if not isinstance(verdict, TokenAuthError):
        return backend.is_local and verdict is None
    # A remote backend has only the user as a row here, and its server is not asked twice.
    return verdict.code is CloseReason.USER_INACTIVE or (
        backend.is_local and not verdict.code.is_transient
    )
