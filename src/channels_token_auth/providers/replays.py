"""Accept each token once: its `jti` is stored in the cache that all processes share.

The entry is made before the token is acted on, and expires after a few seconds. After the action,
it is stored for as long as the token would be accepted. If the action fails, the entry is deleted,
so that the provider's next attempt does not count as a replay. If the process dies, it expires.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from .. import conf
from ..core.identity import unavailable
from ..verification.denylist import CacheUnavailable
from ..verification.denylist.store import Store, open_store

__all__ = ["once"]

PREFIX = "channels_token_auth.provider."

PENDING, DONE = 1, 2

PENDING_SECONDS = 15
"""Seconds that a process may take to act on a token. Afterwards another process may act on it."""

WAIT_SECONDS = 3.0
"""Seconds that a request waits while another process acts on the same token."""


@contextmanager
def once(issuer: str, kind: str, jti: str, *, seconds: float) -> Iterator[bool]:
    """Yield True if the block has to act on the token, False if it was acted on before.

    `seconds`: how long the token would still be accepted. Raises TokenAuthError ("unavailable") if
    the cache fails, or if another process acts on the same token and does not finish.
    """
    names = [
        f"{PREFIX}{name}" for name in conf.site_keys().names("provider-token", issuer, kind, jti)
    ]
    if not _claim(names):
        yield False
        return
    try:
        yield True
    except BaseException:  # also if the process is stopped: another attempt must be accepted
        _release(names[0])
        raise
    _confirm(names[0], seconds)


def _claim(names: list[str]) -> bool:
    """Return True if this process has to act on the token, False if another one has."""
    waits_until = time.monotonic() + WAIT_SECONDS
    try:
        with open_store(conf.configuration().cache) as entries:
            while (is_new := _note(entries, names)) is None:
                if time.monotonic() > waits_until:
                    raise unavailable()
                time.sleep(0.02)
            return is_new
    except CacheUnavailable as error:
        raise unavailable() from error


def _note(entries: Store, names: list[str]) -> bool | None:
    """Return True if the entry is made, False if the token was acted on, None while it is."""
    # Under a former SECRET_KEY (SECRET_KEY_FALLBACKS), the entry has another name.
    found = entries.get_many(names)
    if DONE in found.values():
        return False
    if found or not entries.add(names[0], PENDING, PENDING_SECONDS):
        return None
    # Some caches do not report errors. Without an entry, the token could be replayed.
    if names[0] not in entries.get_many(names[:1]):
        raise CacheUnavailable
    return True


def _release(name: str) -> None:
    try:
        with open_store(conf.configuration().cache) as entries:
            entries.delete(name)
    except CacheUnavailable:
        pass  # the entry expires after PENDING_SECONDS


def _confirm(name: str, seconds: float) -> None:
    try:
        with open_store(conf.configuration().cache) as entries:
            entries.set(name, DONE, seconds)
    except CacheUnavailable as error:
        # The action is done, but not stored: the provider sends the token again. It is safe to
        # revoke twice.
        raise unavailable() from error
