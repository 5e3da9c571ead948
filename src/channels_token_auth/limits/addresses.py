"""The limits that count per address: rejected credentials, and handshakes."""

from .. import conf
from ..core.close_codes import CloseReason
from ..core.counting.client_address import ClientAddress
from ..core.limits import Limit, Limits, Rate
from .exceeded import exceeded
from .rate_counter import RateCounter, rate_counter

__all__ = ["AddressLimits", "site_address_limits"]

FAILURES = frozenset({CloseReason.MALFORMED, CloseReason.TOKEN_INVALID})
"""Refusals that count as failures. Others, such as an expired token, are not attempts to guess."""


class AddressLimits:
    """Counts the failures and handshakes of one route or of the site's endpoints.

    A client without an address, as on a Unix socket, is not limited: a limit for it would be one
    for all clients together. With `trusted_proxies`, it has the address that the proxy forwards.
    """

    def __init__(self, limits: Limits, *, trusted_proxies: int) -> None:
        self._failures = _counter(Limit.FAILURES, limits.failures, limits)
        self._handshakes = _counter(Limit.HANDSHAKES, limits.handshakes, limits)
        # Without trusted proxies, an internal address is usually that of a proxy, from which all
        # clients come. So the default does not apply to it; a value that the site has set does.
        self._spares_internal = limits.is_default_failures and not trusted_proxies

    def begin_handshake(self, address: ClientAddress | None) -> None:
        """Count a handshake. Raises TokenAuthError if the address may open no socket now."""
        if address is None:
            return
        handshakes = self._handshakes
        if handshakes is not None and (wait := handshakes.wait(address.group)) is not None:
            raise exceeded(handshakes.limit, wait, handshakes.rate)
        self.check(address)
        # After both checks: a refused handshake does not count.
        if handshakes is not None:
            handshakes.add(address.group)

    def check(self, address: ClientAddress | None) -> None:
        """Raise TokenAuthError if too many credentials of the address were rejected."""
        failures = self._failures
        if failures is None or address is None or (address.is_internal and self._spares_internal):
            return
        if (wait := failures.wait(address.group)) is not None:
            raise exceeded(failures.limit, wait, failures.rate)

    def note_refusal(self, address: ClientAddress | None, code: CloseReason) -> None:
        """Count a refused credential, if its code is one of `FAILURES`."""
        if self._failures is None or address is None or code not in FAILURES:
            return
        if not (address.is_internal and self._spares_internal):
            self._failures.add(address.group)


def _counter(limit: Limit, rate: Rate | None, limits: Limits) -> RateCounter | None:
    return None if rate is None else rate_counter(limit, rate, limits.storage)


def _of_site(configuration: conf.Configuration) -> AddressLimits:
    return AddressLimits(configuration.limits, trusted_proxies=configuration.trusted_proxies)


site_address_limits = conf.derived(_of_site)
"""Return the limits of the settings, for requests that belong to no route."""
