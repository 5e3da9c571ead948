"""Report denials that no server process would find, because the cache is not shared.

Tokens without a row are revoked by an entry in the denylist's cache. A cache in the memory of one
process suffices for a site that is one process: a command, a task worker or another server process
would store the entry where no server reads it.
"""

import logging
from collections.abc import Collection

from .. import conf
from ..cluster.local_nodes import serves_sockets
from ..core.errors import Detail
from ..core.identity import unavailable
from ..verification.denylist import is_shared

__all__ = ["listed", "require_shared_cache", "warn_of_own_cache"]

REMEDY = "Set CACHE to a cache that all processes share, such as Redis."
logger = logging.getLogger("channels_token_auth")


def require_shared_cache(names: Collection[str]) -> None:
    """Raise TokenAuthError if a denial would be stored where no server process reads it.

    `names`: the backends whose tokens only a denial revokes. If this process serves sockets, the
    denial has an effect on those, and one WARNING is logged instead.
    """
    # Where all tokens have rows, no denial is needed, and the cache is not opened.
    alias = conf.configuration().cache
    if not names or _is_shared(alias):
        return
    if not serves_sockets():
        raise unavailable(
            Detail(
                slug="cache_not_shared",
                remedy=f"Nothing was revoked: tokens of {listed(names)} have no row, and the cache"
                f" {alias!r} belongs to this process alone, which serves no sockets. Set CACHE to a"
                " cache that all processes share, such as Redis.",
            )
        )
    _warn_once(
        alias,
        "Tokens of %s are revoked for this process only, because the cache %r belongs to it"
        " alone. %s",
        names,
    )


def warn_of_own_cache(names: Collection[str]) -> None:
    """Log one WARNING if a signal's denial is stored where no server process reads it.

    A signal's receiver does not raise as a call does: the code that saved a row must not fail.
    """
    alias = conf.configuration().cache
    if names and not serves_sockets() and not _is_shared(alias):
        _warn_once(
            alias,
            "Tokens of %s stay valid, although a signal announced their revocation: they have no"
            " row, and the cache %r belongs to this process alone, which serves no sockets. %s",
            names,
        )


def listed(names: Collection[str]) -> str:
    """Return the names for a sentence: quoted, sorted, and joined by commas."""
    return ", ".join(repr(name) for name in sorted(names))


def _is_shared(alias: str) -> bool:
    try:
        return is_shared(alias)
    except Exception:  # noqa: BLE001 - it cannot be built: the denial fails, and is reported
        # True, or the caller would report a cache of this process alone.
        return True


def _warn_once(alias: str, sentence: str, names: Collection[str]) -> None:
    # The settings cause it, so that every further revocation would repeat the same line.
    if (alias, sentence) not in _warned:
        _warned.add((alias, sentence))
        logger.warning(sentence, listed(names), alias, REMEDY)


_warned: set[tuple[str, str]] = set()
