"""Carry out a revocation at every available backend, and report those that failed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connections

from ..backends.contract import Revocations, TokenBackend
from ..core.close_codes import CloseReason
from ..core.credentials import Secret
from ..core.errors import Detail
from ..core.identity import unavailable
from ..core.revocation import Revocation, Target
from ..observability.error_log import log_error
from .on_commit import after_commit, gathered, site_database
from .pending.batches import Deny
from .pending.savepoints import in_savepoints
from .shared_cache import listed, require_shared_cache

__all__ = ["Plan", "attempt_all", "carry_out"]

T = TypeVar("T")

DENYLIST = "denylist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One revocation: the sockets that close, and how their tokens are revoked.

    `targets`: the sockets to close, reported as revoked; `also`: more sockets, not reported.
    `steps`: the function to call for each backend. It returns True if this backend needs no denial.
    `denied_at`: the names of the backends with tokens that only a denial revokes. `deny`: denies
    them; called if there are such backends, or if a step returns False. `unasked`: backends that
    may have the token, but were unavailable. `supersedes`: covers the revocations that signals of
    deleted rows announce, so that each is published once. `deadline`: until when open sockets may
    send a new token, as in `Revocation`. `about`: what the caller gave, which may be a token: it is
    masked in the log.
    """

    targets: Sequence[Target]
    also: Sequence[Target] = ()
    # Not in the repr, which error reporters show: the arguments of a step may be a token.
    steps: Sequence[tuple[TokenBackend, Callable[[], bool]]] = field(default=(), repr=False)
    denied_at: Collection[str] = ()
    deny: Deny = field(repr=False)
    unasked: Collection[str] = ()
    supersedes: Target | None = None
    deadline: float | None = None
    about: Collection[Secret] = ()


def carry_out(plan: Plan) -> None:
    """Revoke rows, deny tokens without a row, and close sockets on all nodes, after the commit.

    A backend or cache that fails stops neither the others nor the closes. Raises TokenAuthError
    ("unavailable") at the end, if something could not be revoked; or at the beginning, with nothing
    done, if this process cannot deny the tokens where the servers would find it.
    """
    require_shared_cache(plan.denied_at)
    if plan.deadline is not None:
        _warn_sockets(plan)
    failed: dict[str, BaseException] = {}
    with gathered(deadline=plan.deadline):
        # Rows first: their signals add revocations, which `supersedes` replaces.
        # A list, since `all` of a generator would not ask the backends after the first False.
        is_complete = [_attempt(backend, step, failed) for backend, step in plan.steps]
        denials = [plan.deny] if plan.denied_at or not all(is_complete) else []
        try:
            _publish(plan, denials, is_reported=not failed and not plan.unasked)
        except Exception as error:  # noqa: BLE001 - whatever a denial raises
            failed[DENYLIST] = error
    if failed or plan.unasked:
        _report(failed, plan)


def attempt_all(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make all calls, although some fail, and return their results.

    Then raises the first exception: a token that cannot be revoked must not keep others valid.
    """
    results, failures = [], []
    for call in calls:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
    if failures:
        raise failures[0]
    return results


def _warn_sockets(plan: Plan) -> None:
    """Publish the deadline before the tokens are revoked, unless that may be rolled back.

    A sweep that finds a token revoked while its socket has no deadline yet would close it at once.
    """
    if not connections[site_database()].in_atomic_block:
        revocations = _revocations([*plan.targets, *plan.also], plan.deadline)
        after_commit(revocations, [], using=site_database(), is_reported=False)


def _publish(plan: Plan, denials: Sequence[Deny], *, is_reported: bool) -> None:
    database = site_database()
    after_commit(_revocations(plan.also, plan.deadline), [], using=database, is_reported=False)
    after_commit(
        _revocations(plan.targets, plan.deadline),
        denials,
        using=database,
        is_reported=is_reported,
        supersedes=_revocation(plan.supersedes, plan.deadline) if plan.supersedes else None,
    )


def _revocations(targets: Sequence[Target], deadline: float | None = None) -> list[Revocation]:
    return [_revocation(each, deadline) for each in targets]


def _revocation(target: Target, deadline: float | None = None) -> Revocation:
    return Revocation(target=target, code=CloseReason.TOKEN_REVOKED, deadline=deadline)


def _attempt(
    backend: TokenBackend, step: Callable[[], bool], failed: dict[str, BaseException]
) -> bool:
    """Return True if the backend needs no denial, or could not use one."""
    try:
        with in_savepoints():
            return step()
    except Exception as error:  # noqa: BLE001 - whatever a backend or its store raises
        failed[backend.name] = error
        # Verification of tokens with rows does not read the denylist.
        return backend.revocations is Revocations.ROWS


def _report(failed: dict[str, BaseException], plan: Plan) -> None:
    """Log each failure, and raise TokenAuthError with the names of all that failed."""
    # All of them in one error, so that the caller need not find them one after the other.
    names = listed({*failed, *plan.unasked})
    _log(failed, plan)
    # The text and the frames of a failure may quote the token, and sites send our error to error
    # reporters: so it has no cause, and no frame below it has a variable with the failure.
    failed.clear()
    raise unavailable(
        Detail(
            slug="not_all_revoked",
            remedy=f"Not all was revoked, because {names} failed: see the log, and try again.",
        )
    )


def _log(failed: Mapping[str, BaseException], plan: Plan) -> None:
    for name, error in failed.items():
        what = "The cache of the denylist" if name == DENYLIST else f"The backend {name!r}"
        sentence = f"{what} is unavailable: not all was revoked. Revoke it again."
        log_error(sentence, error, about=plan.about)
