"""The limits that count per address: rejected credentials, and handshakes."""

from ..core.client_address import ClientAddress
from ..core.close_codes import CloseReason
from ..core.limits import Limit, Limits
from .exceeded import exceeded
from .rate_counter import RateCounter, rate_counter

__all__ = ["AddressLimits"]

FAILURES = frozenset({CloseReason.MALFORMED, CloseReason.TOKEN_INVALID})
"""Refusals that count as failures. The others show a client that once had a good token."""


class AddressLimits:
    """Counts the failures and handshakes of one route or of the site's endpoints.

    A client without an address, as on a Unix socket, is not limited: nobody can tell it apart from
    all others. With `trusted_proxies` it has one.
    """

    def __init__(self, limits: Limits, *, trusted_proxies: int) -> None:
        storage = limits.storage
        self._failures = limits.failures and rate_counter(Limit.FAILURES, limits.failures, storage)
        self._handshakes = limits.handshakes and rate_counter(
            Limit.HANDSHAKES, limits.handshakes, storage
        )
        # Without trusted proxies an internal address is usually a proxy's, which stands for all
        # clients: the defaults do not apply to it. A value that the site has set does.
        self._spares_internal = limits.is_default_failures and not trusted_proxies

    def begin(self, address: ClientAddress | None) -> None:
        """Count a handshake. Raises TokenAuthError if the address is over a limit."""
        if address is not None and self._handshakes:
            _check(self._handshakes, address)
            self._handshakes.add(address.group)
        self.check(address)

    def check(self, address: ClientAddress | None) -> None:
        """Raise TokenAuthError if the address presented too many rejected credentials."""
        if self._failures and address is not None and not self._spares(address):
            _check(self._failures, address)

    def note(self, address: ClientAddress | None, code: CloseReason) -> None:
        """Count a refusal, if it is one that counts."""
        if not self._failures or address is None or self._spares(address):
            return
        if code in FAILURES:
            self._failures.add(address.group)

    def _spares(self, address: ClientAddress) -> bool:
        return address.is_internal and self._spares_internal


def _check(counter: RateCounter, address: ClientAddress) -> None:
    wait = counter.wait(address.group)
    if wait is not None:
        raise exceeded(counter.limit, wait)
