"""Keep which token stores did not answer the sweeps of a node, and since when."""

import logging
import time
from collections.abc import Sequence

from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..core.identity import Identity
from ..observability.events import OutageBegan, OutageEnded, emit

__all__ = ["StoreOutages"]

logger = logging.getLogger("channels_token_auth")


class StoreOutages:
    """The outages of token stores. `grace`: seconds until their sockets are closed; None: never."""

    def __init__(self, grace: float | None) -> None:
        self._grace = grace
        self._since: dict[str, float] = {}
        self._unanswered: set[str] = set()
        self._answered: set[str] = set()

    def begin(self) -> None:
        """Begin to note the verdicts of a sweep."""
        self._unanswered, self._answered = set(), set()

    def note(self, backend: str, verdict: Identity | TokenAuthError) -> CloseReason | None:
        """Return the code with which sockets with this verdict are closed; None: they stay open."""
        if isinstance(verdict, Identity) or verdict.code is not CloseReason.UNAVAILABLE:
            # Every other verdict, a refusal too, shows that the store has answered.
            self._answered.add(backend)
            return None if isinstance(verdict, Identity) else verdict.code
        self._unanswered.add(backend)
        return CloseReason.UNAVAILABLE if self._is_over(backend) else None

    def finish(self) -> Sequence[str]:
        """Log and emit changes. Return the backends that left the verdict on a token open."""
        unanswered, known = self._unanswered, self._since
        for backend in sorted(unanswered - known.keys()):
            logger.error("Token store of %r unavailable: its sockets stay open for now.", backend)
            emit(OutageBegan(service="store", name=backend))
        for backend in sorted(known.keys() - unanswered):
            # A store whose sockets have all closed was not asked, so do not log that it answers.
            if backend in self._answered:
                logger.warning("Token store of %r available again: tokens were checked.", backend)
            emit(OutageEnded(service="store", name=backend))
        now = time.monotonic()
        self._since = {backend: known.get(backend, now) for backend in unanswered}
        return sorted(unanswered)

    def end(self) -> None:
        """End all outages: no socket is left whose token could be checked."""
        self.begin()
        self.finish()

    def _is_over(self, backend: str) -> bool:
        since = self._since.get(backend)
        waited = 0.0 if since is None else time.monotonic() - since
        return self._grace is not None and waited >= self._grace
