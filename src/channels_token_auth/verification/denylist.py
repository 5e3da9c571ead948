"""What has ended although no row says so, in the cache that all processes share.

It ends by itself: an entry lasts as long as what it denies could. A cache that was wiped would let
all of it in again, so an epoch lies beside the entries: where that is gone, a new one begins, and
tokens that were issued before it are called expired, which has their clients fetch others.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from ..core.authentication import Authentication, epoch
from ..core.close_codes import CloseReason
from ..core.credentials import Secret
from ..core.denial import Denial
from ..core.identity import Grant

__all__ = ["CacheUnavailable", "Denylist"]

PREFIX = "channels_token_auth.denied"
EPOCH = f"{PREFIX}.epoch"
SLACK = 60
"""Seconds that an entry outlasts its token: clocks of several machines differ."""

LOCK_SECONDS = 2
"""How long one process may keep others from adding to a user's entry."""

UNTIL_IT_ENDS, FOR_GOOD = 1, 2
"""What an entry of a token says of how long it lasts."""

_STARTED = time.time()
_seen: set[str] = set()
"""Aliases of caches that this process knows to have an epoch."""


class CacheUnavailable(Exception):  # noqa: N818 - named as the answer to it
    """The cache is away, in whatever words it says so."""


class Denylist:
    """The site's. `cache`: its alias; `seconds`: how long it denies what nobody knows the end of.

    Every method raises CacheUnavailable where the cache is away, or loses what it is given.
    """

    def __init__(self, cache: str, *, seconds: float) -> None:
        self._alias = cache
        self._seconds = seconds

    def deny(self, authentication: Authentication) -> None:
        """Have a verified token refused until it expires: for good where it never does."""
        expires_at = epoch(authentication.expires_at)
        left = None if expires_at is None else expires_at + SLACK - time.time()
        if left is None or left > 0:
            self._deny_token(authentication.token_id, left)

    def deny_token(self, token_id: str) -> None:
        """Have a token refused of which only the id is known."""
        self._deny_token(token_id, self._seconds)

    def deny_user(self, user_id: str, denial: Denial) -> None:
        """Have tokens of the user refused, beside those that were denied before."""
        key = _user_key(user_id)
        with self._cache() as cache, _locked(cache, key):
            self._began_at(cache, cache.get(EPOCH))
            entry = cache.get(key)
            merged = denial.merged(entry and Denial.from_entry(entry))
            _store(cache, key, merged.to_entry(), self._seconds)

    def find(
        self, grants: Sequence[Grant], *, told: Collection[str] = ()
    ) -> list[CloseReason | None]:
        """Why each has ended, None where it has not. One round trip for all.

        `told`: the backends whose stores tell something of an end too. That is not lost with the
        cache; and of their tokens without a time of issue, no later one could be told apart, so
        that a user who is denied all that was issued before could never come again.
        """
        if not grants:
            return []
        keys = {EPOCH}
        for each in grants:
            keys |= {_token_key(each.authentication.token_id), _user_key(str(each.user_pk))}
        with self._cache() as cache:
            entries = cache.get_many(keys)
            began_at = self._began_at(cache, entries.get(EPOCH))
        return [
            _reason(each, entries, began_at, is_told=each.authentication.backend in told)
            for each in grants
        ]

    @contextmanager
    def _cache(self) -> Iterator[BaseCache]:
        try:
            yield caches[self._alias]
        except CacheUnavailable:
            raise
        except Exception as error:
            raise CacheUnavailable from error

    def _began_at(self, cache: BaseCache, found: float | None) -> float:
        """When the cache began, as far as anybody knows."""
        was_seen = self._alias in _seen
        _seen.add(self._alias)
        if found is not None:
            return found
        # What only this process writes to, it would have written an epoch to before a denial.
        is_new = isinstance(cache, LocMemCache) and not was_seen
        began_at = _STARTED if is_new or isinstance(cache, DummyCache) else time.time()
        if cache.add(EPOCH, began_at, None):
            return began_at
        known: float | None = cache.get(EPOCH)
        if known is None:  # it neither has one nor takes one: some caches fail in silence
            raise CacheUnavailable
        return known

    def _deny_token(self, token_id: str, seconds: float | None) -> None:
        key = _token_key(token_id)
        with self._cache() as cache:
            entries = cache.get_many([EPOCH, key])
            self._began_at(cache, entries.get(EPOCH))
            # Whoever knows less of the token does not shorten it.
            if entries.get(key) != FOR_GOOD:
                _store(cache, key, FOR_GOOD if seconds is None else UNTIL_IT_ENDS, seconds)


def _store(cache: BaseCache, key: str, entry: Any, seconds: float | None) -> None:
    cache.set(key, entry, seconds)
    if cache.get(key) != entry:  # some caches fail in silence
        raise CacheUnavailable


def _reason(
    grant: Grant, entries: Mapping[str, Any], began_at: float, *, is_told: bool
) -> CloseReason | None:
    authentication = grant.authentication
    issued_at = epoch(authentication.issued_at)
    if _token_key(authentication.token_id) in entries:
        return CloseReason.TOKEN_REVOKED
    entry = entries.get(_user_key(str(grant.user_pk)))
    may_be_old = issued_at is not None or not is_told
    if entry and may_be_old and Denial.from_entry(entry).covers(authentication.token_id, issued_at):
        return CloseReason.TOKEN_REVOKED
    # Whole seconds, as tokens have them: one of the same second may be the successor.
    if not is_told and issued_at is not None and issued_at < int(began_at):
        return CloseReason.TOKEN_EXPIRED
    return None


def _token_key(token_id: str) -> str:
    # Hashed: an id is whatever its issuer called it.
    return f"{PREFIX}.token.{Secret(token_id).digest}"


def _user_key(user_id: str) -> str:
    return f"{PREFIX}.user.{Secret(user_id).digest}"


@contextmanager
def _locked(cache: BaseCache, key: str) -> Iterator[None]:
    """One process at a time adds to an entry. One that died in it holds others up, not for long."""
    lock, waits_until = f"{key}.lock", time.monotonic() + LOCK_SECONDS
    while not cache.add(lock, 1, LOCK_SECONDS) and time.monotonic() < waits_until:
        time.sleep(0.01)
    try:
        yield
    finally:
        cache.delete(lock)
