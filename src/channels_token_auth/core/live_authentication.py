"""`scope["auth"]` and `scope["user"]`: one object each per socket, always up to date.

Routers copy the scope before they pass it on. So the objects in it are changed in place: another
object in the original scope would not reach the application.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from .authentication import Authentication
from .credentials import Location
from .handshake.correlation import UNCORRELATED, Correlation

__all__ = ["LiveAuthentication", "refresh_user"]


class LiveAuthentication:
    """The current authentication of a socket. Reauthentications and sweeps update it."""

    __slots__ = ("_correlation", "_current", "is_subscribed")

    def __init__(self, current: Authentication, *, correlation: Correlation = UNCORRELATED) -> None:
        self._current = current
        self._correlation = correlation
        self.is_subscribed = False

    def subscribe(self) -> None:
        """Send the application an ASGI event for each change, among the events of the client.

        `{"type": "auth.reauthenticated"}`, and `{"type": "auth.expiring", "expires_in": seconds}`:
        a consumer handles them in `auth_reauthenticated(event)` and `auth_expiring(event)`.
        """
        self.is_subscribed = True

    @property
    def current(self) -> Authentication:
        """The current values, frozen."""
        return self._current

    @property
    # Properties, and no `__getattr__`: editors show them, and a misspelt name is an error.
    def backend(self) -> str:
        return self._current.backend

    @property
    def token_id(self) -> str:
        return self._current.token_id

    @property
    def location(self) -> Location:
        return self._current.location

    @property
    def scopes(self) -> frozenset[str]:
        return self._current.scopes

    @property
    def issued_at(self) -> datetime | None:
        return self._current.issued_at

    @property
    def expires_at(self) -> datetime | None:
        return self._current.expires_at

    @property
    def labels(self) -> Mapping[str, str]:
        # A copy that cannot be changed: the sweep and revocations read the original.
        return MappingProxyType(dict(self._current.labels))

    @property
    def acr(self) -> str | None:
        return self._current.acr

    @property
    def auth_time(self) -> datetime | None:
        return self._current.auth_time

    @property
    def issuer(self) -> str | None:
        return self._current.issuer

    @property
    def tenant(self) -> str | None:
        return self._current.tenant

    @property
    def request_id(self) -> str | None:
        """The `X-Request-ID` of the handshake: for logs, since a client may have chosen it."""
        return self._correlation.request_id

    @property
    def traceparent(self) -> str | None:
        """The `traceparent` of the handshake (W3C Trace Context), as `request_id`."""
        return self._correlation.traceparent

    def __repr__(self) -> str:
        return repr(self._current)

    def replace(self, authentication: Authentication) -> None:
        """Show another authentication from now on. For the library."""
        self._current = authentication


def refresh_user(user: Any, fresh: Any) -> None:
    """Give the socket's own user object the attributes of a fresh one, in place."""
    # The application has this very object: routers have copied the scope that contains it.
    vars(user).clear()
    vars(user).update(vars(fresh))
