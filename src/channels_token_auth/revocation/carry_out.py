"""Carry out a revocation at every backend that is available, and report what could not be done."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections

from .. import conf
from ..backends.contract import Revocations, TokenBackend
from ..cluster.local_nodes import serves_sockets
from ..core.close_codes import CloseReason
from ..core.errors import Detail
from ..core.identity import unavailable
from ..core.revocation import Revocation, Target
from ..observability.error_log import log_error
from ..verification.denylist import is_shared
from .on_commit import after_commit, gathered, site_database
from .pending.batches import Deny
from .pending.savepoints import in_savepoints

__all__ = ["Plan", "carry_out"]

DENYLIST = "denylist"
logger = logging.getLogger("channels_token_auth")


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
    _require_a_shared_cache(plan)
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
    names = _listed({*failed, *unasked})
    raise unavailable(
        Detail(
            slug="not_all_revoked",
            remedy=f"Not all was revoked, because {names} failed: see the log, and try again.",
        )
    ) from next(iter(failed.values()), None)


def _require_a_shared_cache(plan: Plan) -> None:
    """Raise TokenAuthError if a denial would be stored where no server process reads it."""
    alias, names = conf.configuration().cache, plan.denied_at
    if not names or _is_shared(alias):
        return
    if not serves_sockets():
        raise unavailable(
            Detail(
                slug="cache_not_shared",
                remedy=f"Nothing was revoked: tokens of {_listed(names)} have no row, and the cache"
                f" {alias!r} belongs to this process alone, which serves no sockets. Set CACHE to a"
                " cache that all processes share, such as Redis.",
            )
        )
    _warn_once(alias, names)


def _is_shared(alias: str) -> bool:
    try:
        return is_shared(alias)
    except Exception:  # noqa: BLE001 - it cannot be built: the denial fails, and is reported
        return True


def _warn_once(alias: str, names: Collection[str]) -> None:
    if alias not in _warned:
        _warned.add(alias)
        logger.warning(
            "Tokens of %s are revoked for this process only, because the cache %r belongs to it"
            " alone. Set CACHE to a cache that all processes share, such as Redis.",
            _listed(names),
            alias,
        )


_warned: set[str] = set()


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
