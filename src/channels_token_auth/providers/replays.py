"""Accept each token once: its `jti` is noted in the cache that all processes share.

A token is noted before it is acted on, with a short life; and for as long as it would be accepted
once its effect is complete. If the action fails, the note is deleted, so that the provider's next
attempt is not taken for a replay; and if the process dies, the note ends by itself.
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
"""How long a process may take to act on a token. Afterwards another one may."""

WAIT_SECONDS = 3.0
"""How long a copy of a token that is being acted on waits for the outcome."""


@contextmanager
def once(issuer: str, kind: str, jti: str, *, seconds: float) -> Iterator[bool]:
    """Yield True if the token is to be acted on inside, False if it was acted on before.

    `seconds`: how long the token would still be accepted. Raises TokenAuthError ("unavailable") if
    the cache fails, or if another process does not finish with the same token.
    """
    names = [
        f"{PREFIX}{name}" for name in conf.site_keys().names("provider-token", issuer, kind, jti)
    ]
    if not _claim(names):
        yield False
        return
    try:
        yield True
    except BaseException:
        _release(names[0])
        raise
    _confirm(names[0], seconds)


def _claim(names: list[str]) -> bool:
    """Return True if the token is noted now; False once another process has acted on it."""
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
    """Return True if it was noted now, False if it is done, None while somebody acts on it."""
    # Under a former SECRET_KEY it may have been noted by another name.
    found = entries.get_many(names)
    if DONE in found.values():
        return False
    if found or not entries.add(names[0], PENDING, PENDING_SECONDS):
        return None
    # Some caches fail in silence: a token that is not noted could be replayed for ever.
    if names[0] not in entries.get_many(names[:1]):
        raise CacheUnavailable
    return True


def _release(name: str) -> None:
    try:
        with open_store(conf.configuration().cache) as entries:
            entries.delete(name)
    except CacheUnavailable:
        pass  # the note ends by itself soon


def _confirm(name: str, seconds: float) -> None:
    try:
        with open_store(conf.configuration().cache) as entries:
            entries.set(name, DONE, seconds)
    except CacheUnavailable as error:
        # What the token asked for is done. The provider sends it again, which does no harm.
        raise unavailable() from error
