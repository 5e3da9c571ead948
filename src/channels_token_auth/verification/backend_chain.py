"""What the backends, the tickets and the denylist say together. Blocks: it runs in a thread.

A store that fails says nothing about a token: it is asked once more on fresh connections, and then
the answer is "unavailable". Nothing here raises.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connections

from ..backends.contract import Revocations, TokenBackend, Unrecognized
from ..backends.sources.users import concrete
from ..clock import clock
from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, Verdict, unavailable
from ..observability.error_log import log_error
from .denylist import CacheUnavailable, Denylist, first_verified
from .tickets import Tickets

__all__ = ["BackendChain"]

UNANSWERED = "A token could not be verified: answered unavailable."

# What says that a store is away, and nothing about one credential.
_AWAY = (OperationalError, InterfaceError, CacheUnavailable)

Asked = TypeVar("Asked", Credential, Grant)
Answer = Identity | TokenAuthError


class BackendChain:
    """Asks the backends of one route in order, tickets first, and then the denylist."""

    def __init__(
        self, backends: Sequence[TokenBackend], tickets: Tickets, denylist: Denylist
    ) -> None:
        self._backends: tuple[TokenBackend | Tickets, ...] = (tickets, *backends)
        self._by_name = {each.name: each for each in backends}
        self._denylist = denylist
        self._with_rows = _names(backends, Revocations.ROWS)
        self._with_store = _names(backends, Revocations.STORE)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Answer]:
        """The verdict on each."""
        began_at = clock.calendar()
        verdicts: list[Verdict] = [None] * len(credentials)
        for backend in self._backends:
            unknown = [i for i, verdict in enumerate(verdicts) if _is_open(verdict)]
            answers = _ask(partial(_consult, backend), [credentials[i] for i in unknown])
            for i, answer in zip(unknown, answers, strict=True):
                verdicts[i] = answer or verdicts[i]
        return self._undenied(
            [each or TokenAuthError(CloseReason.TOKEN_INVALID) for each in verdicts],
            [began_at] * len(credentials),
            is_first=True,
        )

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Answer]:
        """Whether each still stands: one question to each backend."""
        by_backend: dict[str, list[int]] = defaultdict(list)
        for i, each in enumerate(grants):
            by_backend[each.authentication.backend].append(i)
        verdicts: dict[int, Verdict] = {}
        for name, places in by_backend.items():
            asked = [grants[i] for i in places]
            verdicts |= zip(places, _ask(partial(self._revalidate, name), asked), strict=True)
        standing = [
            verdicts[i] or TokenAuthError(CloseReason.TOKEN_REVOKED) for i in range(len(grants))
        ]
        return self._undenied(standing, [each.verified_at for each in grants])

    def _revalidate(self, name: str, grants: Sequence[Grant]) -> Sequence[Verdict]:
        # Looked up where a name that a backend has made up costs no more than its own tokens.
        return self._by_name[name].revalidate(grants)

    def _undenied(
        self,
        verdicts: Sequence[Answer],
        verified_at: Sequence[float | None],
        *,
        is_first: bool = False,
    ) -> Sequence[Answer]:
        """Return the verdicts, with a refusal for each token that is denied."""
        passed = {
            i: _grant(verdict, verified_at[i], is_first=is_first)
            for i, verdict in enumerate(verdicts)
            if isinstance(verdict, Identity)
            and verdict.authentication.backend not in self._with_rows
        }
        if not passed:
            return verdicts
        try:
            reasons: Sequence[Any] = self._denylist.find(
                list(passed.values()), with_store=self._with_store
            )
        except CacheUnavailable as error:
            log_error(UNANSWERED, error, about=passed.values())
            refused: dict[int, Answer] = dict.fromkeys(passed, unavailable())
        else:
            found = zip(passed, reasons, strict=True)
            refused = {i: TokenAuthError(reason) for i, reason in found if reason}
        return [refused.get(i, verdict) for i, verdict in enumerate(verdicts)]


def _is_open(verdict: Verdict) -> bool:
    """Return True if the next backend has to be asked."""
    return verdict is None or isinstance(verdict, Unrecognized)


def _grant(identity: Identity, verified_at: float | None, *, is_first: bool) -> Grant:
    """Return what the denylist is asked about. A token is noted before: no revocation misses it."""
    user, token = identity.user_key, identity.authentication
    if is_first and verified_at is not None:
        verified_at = first_verified.note(token, user, at=verified_at)
    return Grant(
        user_pk=identity.user.pk,
        user_kind=user.kind,
        authentication=token,
        verified_at=verified_at,
    )


def _names(backends: Sequence[TokenBackend], revocations: Revocations) -> frozenset[str]:
    return frozenset(each.name for each in backends if each.revocations is revocations)


def _ask(
    question: Callable[[Sequence[Asked]], Sequence[Verdict]], asked: Sequence[Asked]
) -> Sequence[Verdict]:
    """Put a question to a store that may fail: one that is away says nothing about a token."""
    try:
        return _answers(question, asked)
    except Exception:  # noqa: BLE001 - whatever a backend or its store raises
        # The store may have been restarted since: once more, on connections of today.
        _close_connections()
    try:
        return _answers(question, asked)
    except Exception as error:  # noqa: BLE001 - the same, again
        if len(asked) == 1 or isinstance(error, _AWAY):
            log_error(UNANSWERED, error, about=asked)
            return [unavailable() for _ in asked]
    # One token that a backend chokes on must not cost the others of its batch.
    middle: int = len(asked) // 2
    return [*_ask(question, asked[:middle]), *_ask(question, asked[middle:])]


def _answers(
    question: Callable[[Sequence[Asked]], Sequence[Verdict]], asked: Sequence[Asked]
) -> Sequence[Verdict]:
    answers = [_usable(each) for each in question(asked)] if asked else []
    if len(answers) != len(asked):
        raise TypeError(f"A token backend gave {len(answers)} verdicts on {len(asked)}.")
    return answers


def _usable(verdict: Any) -> Verdict:
    """Return the verdict with a user that is loaded here, where queries may be made."""
    if isinstance(verdict, Identity):
        user = concrete(verdict.user)
        return verdict if user is verdict.user else replace(verdict, user=user)
    if verdict is None or isinstance(verdict, TokenAuthError):
        return verdict
    raise TypeError(f"A token backend returned a {type(verdict).__name__} instead of a verdict.")


def _consult(
    backend: TokenBackend | Tickets, credentials: Sequence[Credential]
) -> Sequence[Verdict]:
    """The backend's verdicts, None for what it does not claim."""
    claimed = [backend.recognizes(credential) for credential in credentials]
    mine = [c for c, is_mine in zip(credentials, claimed, strict=True) if is_mine]
    answers = iter(_answers(backend.authenticate, mine))
    return [next(answers) if is_mine else None for is_mine in claimed]


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
