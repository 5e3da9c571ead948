"""Deny tokens by id, user or label, and find out which ones are denied.

An entry expires when the tokens that it denies have expired. Every name is derived with the site's
own key, so that two sites that share a cache never read each other's denials.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.signals import setting_changed

from ...core.authentication import Authentication, epoch
from ...core.close_codes import CloseReason
from ...core.denial import Denial
from ...core.identity import Grant, UserKey
from ...core.label_denials import LabelDenial, merged, shared_label
from ...core.labels import Labels
from ...core.revocation import Target
from .ends import end_after, latest_end, seconds_until
from .epoch import Epoch, EpochWatch
from .fresh_tokens import first_verified
from .lock import locked
from .names import GrantNames, Names, label_names, names, token_names, user_names
from .reasons import denial_reason
from .store import CacheUnavailable, Store, is_in_memory, open_store

__all__ = ["SLACK", "Denylist", "forget_epochs"]

SLACK = 60
"""Seconds that an entry outlives its token, because the clocks of machines differ."""

Merge = Callable[[Sequence[Any]], tuple[Any, Iterable[Denial]]]
"""Merges the existing entries into a new one. Returns the new entry and its rules."""

_watches: dict[tuple[str, str], EpochWatch] = {}
"""The epochs that this process knows, by the cache's alias and the site."""


class Denylist:
    """The denied tokens of a site. `cache`: its alias.

    `denylist_seconds`: how long a denial is kept if the tokens' expiry is unknown. Every method
    raises CacheUnavailable if the cache fails or does not keep a value.
    """

    def __init__(self, cache: str, *, denylist_seconds: float) -> None:
        self._cache = cache
        self._denylist_seconds = denylist_seconds

    @property
    def is_in_memory(self) -> bool:
        """Return True if no call here blocks, because the entries are in this process."""
        return is_in_memory(self._cache)

    # -- Deny

    def deny(self, authentication: Authentication) -> None:
        """Deny a verified token until it expires; for ever if it never does."""
        expires_at = epoch(authentication.expires_at)
        # SLACK: other nodes' clocks may be behind, and to them the token is valid a little longer.
        left = None if expires_at is None else expires_at + SLACK - time.time()
        if left is None or left > 0:
            self._deny_token(token_names(authentication)[0], left)

    def deny_token(
        self, token_id: str, *, backend: str, issuer: str | None = None, tenant: str | None = None
    ) -> None:
        """Deny a token of which only the id is known. Without an issuer: of any issuer."""
        self._deny_token(names("token", backend, issuer, tenant, token_id), self._denylist_seconds)

    def deny_user(self, user: UserKey, denial: Denial) -> None:
        """Deny tokens of a user, in addition to those that were denied before."""
        new = self._lasting(denial)

        def merge(older: Sequence[Any]) -> tuple[Any, Iterable[Denial]]:
            rule = new
            for each in older:
                rule = rule.merged(Denial.from_entry(each))
            return rule.to_entry(), [rule]

        self._merge(user_names(user), merge)

    def deny_labels(
        self,
        labels: Labels,
        denial: Denial,
        *,
        backend: str,
        issuers: Sequence[str | None] = (None,),
        tenant: str | None = None,
        user: UserKey | None = None,
    ) -> None:
        """Deny tokens that have all of these labels, in addition to those denied before.

        `issuers`: whose tokens; None: of any. Without a user: of all users.
        """
        kind, lasting = user.kind if user else None, self._lasting(denial)
        new = [
            LabelDenial(labels=labels, denial=lasting, issuer=each, user_kind=kind)
            for each in issuers
        ]

        def merge(older: Sequence[Any]) -> tuple[Any, Iterable[Denial]]:
            known = [LabelDenial.from_entry(each) for entry in older for each in entry]
            now = time.time()
            for rule in new:
                known = merged(rule, known, now=now)
            return [each.to_entry() for each in known], [each.denial for each in known]

        user_id = user.key if user else None
        label = shared_label(labels)
        self._merge(label_names(label, backend=backend, tenant=tenant, user_id=user_id), merge)

    def deny_first_verified(self, target: Target) -> None:
        """Deny tokens of the second of `issued_before` that this process verified before it.

        Each process calls this for a revocation, since it alone knows which tokens it has verified.
        """
        # A denial without a time covers tokens of every second.
        if target.issued_before is None:
            return
        for seen in first_verified.before(target.issued_before):
            if target.matches(seen):
                self.deny(seen.authentication)

    # -- Find

    def find(
        self, grants: Sequence[Grant], *, with_store: Collection[str] = ()
    ) -> list[CloseReason | None]:
        """Return why each token is denied, None if it is not. One round trip for all.

        `with_store`: the backends whose stores also record most revocations. So a wiped cache does
        not end their tokens. Rules by time of issue are not applied to their tokens without one:
        otherwise a user whose older tokens are denied could never log in again.
        """
        # A cache that is asked for nothing may still be unavailable: do not ask it.
        if not grants:
            return []
        found = [GrantNames(each) for each in grants]
        keys = {key for each in found for key in each}
        with open_store(self._cache) as entries_of:
            entries, current = self._read(entries_of, keys)
        # By name, since grants of several routes come together in one sweep.
        have_store = [each.authentication.backend in with_store for each in grants]
        return [
            denial_reason(grant, each, entries, current, has_store=has_store)
            for grant, each, has_store in zip(grants, found, have_store, strict=True)
        ]

    # -- The epoch

    @property
    def epoch_id(self) -> str | None:
        """The id of the cache's epoch that this process knows, for other nodes."""
        return self._watch.known_id

    def learn_epoch(self, epoch_id: str) -> None:
        """Take over the id that another node has sent."""
        self._watch.learn(epoch_id)

    def check_epoch(self) -> None:
        """Detect a wiped cache. Called at each sweep."""
        with open_store(self._cache) as entries_of:
            self._read(entries_of, ())

    @property
    def _watch(self) -> EpochWatch:
        key = self._cache, names("epoch")[0]
        return _watches.get(key) or _watches.setdefault(key, EpochWatch())

    def _read(
        self, entries_of: Store, keys: Collection[str]
    ) -> tuple[Mapping[str, Any], Epoch | None]:
        """Return the entries, and the current epoch."""
        epochs, (present, *_) = names("epoch"), names("present")
        entries = entries_of.get_many([*keys, *epochs, present])
        # An empty cache returns the same as one that hides its errors. Only the first one keeps the
        # value that is added here.
        is_kept = present in entries or entries_of.add(present, 1, None)
        if not is_kept and present not in entries_of.get_many([present]):
            raise CacheUnavailable
        return entries, self._watch.settle(entries_of, epochs[0], _latest(entries, epochs))

    # -- Store

    def _deny_token(self, found: Names, seconds: float | None) -> None:
        end, name = end_after(seconds), found[0]
        with open_store(self._cache) as entries_of:
            self._ensure_epoch(entries_of)
            if not entries_of.get_many(found) and entries_of.add(name, end, seconds_until(end)):
                if name not in entries_of.get_many([name]):  # some caches hide their errors
                    raise CacheUnavailable
                return
            # Denied before, perhaps with another expiry: keep the later one.
            with locked(entries_of, name) as require_lock:
                older = entries_of.get_many(found).values()
                end = latest_end([end, *older])
                require_lock()
                entries_of.set(name, end, seconds_until(end))

    def _lasting(self, denial: Denial) -> Denial:
        return replace(denial, until=time.time() + self._denylist_seconds)

    def _merge(self, found: Names, merge: Merge) -> None:
        """Store the merged entry, until the last of its rules has ended."""
        with open_store(self._cache) as entries_of:
            self._ensure_epoch(entries_of)
            with locked(entries_of, found[0]) as require_lock:
                entry, rules = merge(list(entries_of.get_many(found).values()))
                end = max((each.until or 0.0 for each in rules), default=0.0)
                require_lock()
                entries_of.set(found[0], entry, seconds_until(end))

    def _ensure_epoch(self, entries_of: Store) -> None:
        found = names("epoch")
        self._watch.ensure(entries_of, found[0], _latest(entries_of.get_many(found), found))


def _latest(entries: Mapping[str, Any], keys: Names) -> Any:
    """Return the epoch of the last wipe: during a rotation, each key may have one."""
    found = [entries[name] for name in keys if name in entries]
    return max(found, key=lambda epoch: epoch["wiped_at"] or 0.0, default=None)


def forget_epochs() -> None:
    """Forget the epochs of all caches, as a process that has just started knows none."""
    _watches.clear()


def _forget(setting: str, **_: Any) -> None:
    if setting == "CACHES":
        forget_epochs()


setting_changed.connect(_forget, dispatch_uid=f"{__name__}._forget")
