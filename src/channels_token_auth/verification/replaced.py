"""Store which tokens were replaced, so that a sweep closes their sockets with the right code.

A rotation deletes a token's row and creates another one. After that, the table does not show
whether a token was replaced or revoked. The client of a replaced token has a new one: it gets 4419,
which lets it reconnect, and not 4410. A node that missed the message of the rotation reads it here.
"""

from collections.abc import Collection, Sequence
from typing import TypeVar

from .. import conf
from ..backends.primary_cache import primary_cache
from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Verdict
from ..core.token_names import token_name
from ..observability.error_log import log_error

__all__ = ["KEPT_SECONDS", "ReplacedTokens", "is_gone"]

KEPT_SECONDS = 3600.0
"""Seconds for which a replaced token is stored; longer if the sweep interval is longer."""

Given = TypeVar("Given", bound=Verdict)
Token = tuple[str | None, str | None]
"""The name of a backend, and a token's id."""


class ReplacedTokens:
    """The replaced tokens of a site, in its cache. If the cache fails, they count as revoked: their
    clients ask for a login.
    """

    def __init__(self, cache: str) -> None:
        self._cache = cache

    def note(self, tokens: Collection[Token]) -> None:
        """Store these tokens. Raises nothing."""
        interval = conf.configuration().sweep_interval
        # Under the current name only. Those who read also try the names of former keys.
        entries = {_names(*token)[0]: 1 for token in tokens}
        try:
            primary_cache(self._cache).set_many(entries, max(KEPT_SECONDS, 2 * interval))
        except Exception as error:  # noqa: BLE001 - whatever a cache raises
            log_error("Replaced tokens could not be noted: sweeps report them as revoked.", error)

    def apply(
        self, grants: Sequence[Grant], verdicts: Sequence[Given]
    ) -> list[Given | TokenAuthError]:
        """Return the verdicts, with "token_expired" instead of "revoked" for replaced tokens."""
        # Nearly always empty: then the cache is not read.
        gone = [i for i, verdict in enumerate(verdicts) if is_gone(verdict)]
        names = {i: _names(*_token(grants[i])) for i in gone}
        found = self._find([name for each in names.values() for name in each]) if gone else ()
        return [
            TokenAuthError(CloseReason.TOKEN_EXPIRED)
            if any(name in found for name in names.get(i, ()))
            else verdict
            for i, verdict in enumerate(verdicts)
        ]

    def _find(self, names: Sequence[str]) -> Collection[str]:
        try:
            return set(primary_cache(self._cache).get_many(names))
        except Exception as error:  # noqa: BLE001 - whatever a cache raises
            what = "Replaced tokens could not be read: reported as revoked."
            log_error(what, error, often=True)
            return ()


def is_gone(verdict: Verdict) -> bool:
    """Return whether the verdict means that the token was revoked or does not exist."""
    return verdict is None or (
        isinstance(verdict, TokenAuthError) and verdict.code is CloseReason.TOKEN_REVOKED
    )


def _token(grant: Grant) -> Token:
    return grant.authentication.backend, grant.authentication.token_id


def _names(backend: str | None, token_id: str | None) -> list[str]:
    name = None if token_id is None else token_name(token_id)
    names = conf.site_keys().names("replaced", backend, name)
    return [f"channels_token_auth.replaced.{name}" for name in names]
