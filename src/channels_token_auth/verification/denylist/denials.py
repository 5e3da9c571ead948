"""Apply the denylist to verdicts: refuse accepted tokens that are denied."""

from collections.abc import Collection, Sequence
from typing import Any

from ...core.errors import TokenAuthError
from ...core.identity import Grant, Identity, unavailable
from ...observability.error_log import log_error
from .denylist import Denylist
from .fresh_tokens import first_verified
from .store import CacheUnavailable

__all__ = ["Denials"]

UNREADABLE = "The denylist cannot be read: tokens without a row are answered unavailable."


class Denials:
    """The denylist of a route. `with_rows`: names of the backends whose rows record every
    revocation; `with_store`: of those whose store records most of them.
    """

    def __init__(
        self, denylist: Denylist, *, with_rows: Collection[str], with_store: Collection[str]
    ) -> None:
        self._denylist = denylist
        self._with_rows = with_rows
        self._with_store = with_store

    @property
    def can_block(self) -> bool:
        """Return True if the denylist is read from another process."""
        try:
            # Memory is read in this thread at once. Anything else may hang, and gets a lane of its
            # own.
            return not self._denylist.is_in_memory
        except Exception:  # noqa: BLE001 - `apply` reports a cache that cannot be built
            return True

    def concern(self, verdict: Any) -> bool:
        """Return whether the denylist has to be read for this verdict."""
        return (
            isinstance(verdict, Identity) and verdict.authentication.backend not in self._with_rows
        )

    def apply(
        self,
        verdicts: Sequence[Any],
        verified_at: Sequence[float | None],
        *,
        is_first: bool = False,
    ) -> list[Any]:
        """Return the verdicts, with a refusal for each token that is denied. Raises nothing.

        `is_first`: the tokens were not accepted before, but presented at `verified_at`.
        """
        # Refused tokens stay refused, and rows record their revocations themselves: neither is
        # looked up.
        passed = {
            i: _grant(verdict, verified_at[i], is_first=is_first)
            for i, verdict in enumerate(verdicts)
            if self.concern(verdict)
        }
        refused = self._refused(passed) if passed else {}
        return [refused.get(i, verdict) for i, verdict in enumerate(verdicts)]

    def _refused(self, passed: dict[int, Grant]) -> dict[int, TokenAuthError]:
        try:
            reasons = self._denylist.find(list(passed.values()), with_store=self._with_store)
        except CacheUnavailable as error:
            log_error(UNREADABLE, error, about=passed.values(), often=True)
            # Fail closed: without the denylist, a revoked JWT would be valid again.
            return dict.fromkeys(passed, unavailable())
        found = zip(passed, reasons, strict=True)
        return {i: TokenAuthError(reason) for i, reason in found if reason}


def _grant(identity: Identity, verified_at: float | None, *, is_first: bool) -> Grant:
    """Return the grant to look up. Store the token first, so that no revocation misses it."""
    user, token = identity.user_key, identity.authentication
    if is_first and verified_at is not None:
        verified_at = first_verified.note(token, user, at=verified_at)
    return Grant(
        user_pk=identity.user.pk,
        user_kind=user.kind,
        authentication=token,
        verified_at=verified_at,
    )
