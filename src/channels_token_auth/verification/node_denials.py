"""Act on messages about denials: deny fresh tokens of a revocation, and compare the cache's epoch.

Called in an event loop. Calls of a cache in another process run in the lane of the cache.
"""

from collections.abc import Sequence

from .. import conf
from ..backends.contract import Revocations
from ..core.authentication import Authentication
from ..core.revocation import Target
from ..observability.error_log import log_error
from .authenticator import site_authenticator
from .denylist import CacheUnavailable, Denylist, first_verified, is_shared
from .lanes import Onward, cache_lane, lanes
from .route import revocable_backends

__all__ = ["check_epoch", "deny_first_verified", "known_epoch", "learn_epoch"]

UNDENIED = "A fresh token could not be denied, because the cache failed: revoke it again."


def deny_first_verified(targets: Sequence[Target]) -> None:
    """Deny tokens of the same second as a revocation that this process verified before it.

    Their time of issue does not show that they are older. Only this process knows it.
    """
    seen = [
        token.authentication
        for target in targets
        if target.issued_before is not None
        for token in first_verified.before(target.issued_before)
        if target.matches(token)
    ]
    # Nearly always empty: only tokens of the revocation's own second concern it.
    if seen:
        _in_its_lane(site_authenticator().denylist, seen)


def known_epoch() -> str | None:
    """Return the id of the epoch of the site's cache, to be sent to other nodes; None: unknown.

    A cache of this process alone has an epoch that means nothing to others.
    """
    try:
        return site_authenticator().denylist.epoch_id if _is_shared_denylist() else None
    except Exception:  # noqa: BLE001 - a wrong setting is reported where it is used
        return None


def learn_epoch(epoch_id: object) -> None:
    """Store the id that another node sent, so that this process too detects a wiped cache."""
    if isinstance(epoch_id, str) and _is_shared_denylist():
        site_authenticator().denylist.learn_epoch(epoch_id)


def check_epoch() -> None:
    """Find out whether the cache was wiped, even if no token is presented meanwhile."""
    if known_epoch() is not None:
        _in_its_lane(site_authenticator().denylist, [])


def _is_shared_denylist() -> bool:
    has_denials = any(each.revocations is not Revocations.ROWS for each in revocable_backends())
    return has_denials and is_shared(conf.configuration().cache)


def _in_its_lane(denylist: Denylist, tokens: Sequence[Authentication]) -> None:
    # The event loop must not wait for a cache in another process: call that in its lane.
    item = denylist, tokens
    if denylist.is_in_memory:
        _act([item])
        return
    lanes.ask(Onward(cache_lane(conf.configuration().cache), _act, item), lambda _: None)


def _act(items: Sequence[tuple[Denylist, Sequence[Authentication]]]) -> Sequence[bool]:
    return [_deny_or_check(*item) for item in items]


def _deny_or_check(denylist: Denylist, tokens: Sequence[Authentication]) -> bool:
    try:
        for token in tokens:
            denylist.deny(token)
        if not tokens:
            denylist.check_epoch()
    except CacheUnavailable as error:
        # A failed check is repeated by the next sweep, and needs no report.
        if tokens:
            log_error(UNDENIED, error, brief=True)
        return False
    return True
