"""`scope["auth"]` and `scope["user"]`: one object each a socket, which shows the present state.

Routers copy the scope on its way in, so that another object put into it later reaches nobody.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ..core.authentication import Authentication
from ..core.credentials import Location

__all__ = ["LiveAuthentication", "refresh_user"]


class LiveAuthentication:
    """How a socket is authenticated now: an `Authentication` that follows reauthentication."""

    __slots__ = ("_current", "is_subscribed")

    def __init__(self, current: Authentication) -> None:
        self._current = current
        self.is_subscribed = False

    def subscribe(self) -> None:
        """Have the application told of changes, as ASGI events among those of the client.

        `{"type": "auth.reauthenticated"}`, and `{"type": "auth.expiring", "expires_in": seconds}`:
        a consumer handles them in `auth_reauthenticated(event)` and `auth_expiring(event)`.
        """
        self.is_subscribed = True

    @property
    def current(self) -> Authentication:
        """The present values, frozen."""
        return self._current

    @property
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
        return MappingProxyType(dict(self._current.labels))

    @property
    def acr(self) -> str | None:
        return self._current.acr

    @property
    def auth_time(self) -> datetime | None:
        return self._current.auth_time

    def __repr__(self) -> str:
        return repr(self._current)

    def replace(self, authentication: Authentication) -> None:
        """Follow a reauthentication. For the library."""
        self._current = authentication


def refresh_user(user: Any, fresh: Any) -> None:
    """Make the socket's own user object what the database says now."""
    vars(user).clear()
    vars(user).update(vars(fresh))
