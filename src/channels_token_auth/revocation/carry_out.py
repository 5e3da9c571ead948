"""Carry out a revocation at every backend that is available, and report what could not be done."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections

from ..backends.contract import Revocations, TokenBackend
from ..core.close_codes import CloseReason
from ..core.errors import Detail
from ..core.identity import unavailable
from ..core.revocation import Revocation, Target
from ..observability.error_log import log_error
from .on_commit import after_commit, gathered, site_database
from .pending.batches import Deny
from .pending.savepoints import in_savepoints
from .shared_cache import listed, require_shared_cache

__all__ = ["Plan", "carry_out"]

DENYLIST = "denylist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One revocation: the sockets that close, and how their tokens are revoked.

    `targets`: the sockets, reported as revoked; `also`: more sockets, of which nothing is reported.
    `steps`: what to call at each backend. It returns True if no denial is needed at this backend.
    `denied_at`: the names of the backends with tokens that only a denial revokes. `deny`: denies
    them, if there are such backends, or if a step leaves something to it. `unasked`: backends that
    might know the token, and were unavailable. `instead_of`: makes up for what signals of the rows
    announce. `deadline`: until when open sockets may renew their tokens, as in `Revocation`.
    """

    targets: Sequence[Target]
    also: Sequence[Target] = ()
    steps: Sequence[tuple[TokenBackend, Callable[[], bool]]] = ()
    denied_at: Collection[str] = ()
    deny: Deny
    unasked: Collection[str] = ()
    instead_of: Target | None = None
    deadline: float | None = None


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
        is_complete = [_attempt(backend, step, failed) for backend, step in plan.steps]
        denials = [plan.deny] if plan.denied_at or not all(is_complete) else []
        try:
            _publish(plan, denials, is_told=not failed and not plan.unasked)
        except Exception as error:  # noqa: BLE001 - whatever a denial raises
            failed[DENYLIST] = error
    if failed or plan.unasked:
        _report(failed, plan.unasked)


def _warn_sockets(plan: Plan) -> None:
    """Give the open sockets their deadline first, unless the transaction may be rolled back.

    A sweep that finds a token revoked before its socket has a deadline would close it at once.
    """
    if not connections[site_database()].in_atomic_block:
        endings = _endings([*plan.targets, *plan.also], plan.deadline)
        after_commit(endings, [], using=site_database(), is_told=False)


def _publish(plan: Plan, denials: Sequence[Deny], *, is_told: bool) -> None:
    database = site_database()
    after_commit(_endings(plan.also, plan.deadline), [], using=database, is_told=False)
    after_commit(
        _endings(plan.targets, plan.deadline),
        denials,
        using=database,
        is_told=is_told,
        instead_of=_ending(plan.instead_of, plan.deadline) if plan.instead_of else None,
    )


def _endings(targets: Sequence[Target], deadline: float | None = None) -> list[Revocation]:
    return [_ending(each, deadline) for each in targets]


def _ending(target: Target, deadline: float | None = None) -> Revocation:
    return Revocation(target=target, code=CloseReason.TOKEN_REVOKED, deadline=deadline)


def _attempt(
    backend: TokenBackend, step: Callable[[], bool], failed: dict[str, BaseException]
) -> bool:
    """Return True if no denial is needed, also where none would help."""
    try:
        with in_savepoints():
            return step()
    except Exception as error:  # noqa: BLE001 - whatever a backend or its store raises
        failed[backend.name] = error
        return backend.revocations is Revocations.ROWS


def _report(failed: Mapping[str, BaseException], unasked: Collection[str]) -> None:
    """Log each failure, and raise TokenAuthError."""
    for name, error in failed.items():
        what = "The cache of the denylist" if name == DENYLIST else f"The backend {name!r}"
        log_error(f"{what} is unavailable: not all was revoked. Revoke it again.", error)
    names = listed({*failed, *unasked})
    raise unavailable(
        Detail(
            slug="not_all_revoked",
            remedy=f"Not all was revoked, because {names} failed: see the log, and try again.",
        )
    ) from next(iter(failed.values()), None)
