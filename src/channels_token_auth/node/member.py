"""The interface of a socket for its node: its user, token and address, and ways to close it.

The registry, the sweep, the timers and the bulk close use sockets through this class only.
`Connection` implements it, two layers above. It contains one secret, the handle of its backend,
which is in no repr, log or message.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.asgi_types import Scope
from ..core.authentication import epoch
from ..core.close_codes import CloseReason
from ..core.counting.client_address import ClientAddress, client_address
from ..core.errors import TokenAuthError
from ..core.handshake.correlation import UNCORRELATED
from ..core.identity import Grant, Identity, user_kind
from ..core.live_authentication import LiveAuthentication
from ..observability.events import ConnectionFacts
from ..random_ids import new_id
from ..verification.route import Route

__all__ = ["Member"]

# Not None, which means that the client has no address.
_NOT_READ = object()


class Member(ABC):
    """A socket of a node. Anonymous sockets have neither a user id nor a token."""

    __slots__ = (
        "_auth",
        "_client_address",
        "_connection_id",
        "_handle",
        "_node_name",
        "_opened_at",
        "_scope",
        "_user",
        "_verified_at",
        "correlation",
        "route",
    )  # fmt: skip

    def __init__(self, node_name: str, route: Route, scope: Scope) -> None:
        self.route = route
        self._node_name = node_name
        self._connection_id: str | None = None
        self._scope = scope
        self._client_address: Any = _NOT_READ
        self._opened_at = time.time()
        self._user: Any = None
        self._auth: LiveAuthentication | None = None
        self._handle: Any = None
        self._verified_at: float | None = None
        self.correlation = UNCORRELATED
        """The ids that proxies and tracers gave to its handshake."""

    # -- Called by its node

    @abstractmethod
    def close(self, code: CloseReason) -> None:
        """Close it with this code. Returns at once; from now on no frame passes."""

    @abstractmethod
    def end(self, error: TokenAuthError) -> None:
        """Close it for this reason, which the client gets. Returns at once."""

    @abstractmethod
    def renew_by(self, deadline: float) -> None:
        """Have its client send a fresh token until `deadline`, an epoch time; else close it."""

    @property
    @abstractmethod
    def must_renew(self) -> bool:
        """True while its old token is revoked, and its client may still send a fresh one."""

    @property
    @abstractmethod
    def next_tick(self) -> float | None:
        """The time of its next deadline on the steady clock, None for none."""

    @abstractmethod
    def tick(self) -> None:
        """Act on a deadline that has passed."""

    @abstractmethod
    def jump(self, seconds: float) -> None:
        """Bring the expiry forward: the calendar went ahead of the steady clock by so much."""

    def follow(self, identity: Identity) -> None:
        """Take over the current scopes of its token, which a sweep has found."""
        scopes = identity.authentication.scopes
        if self._auth and scopes != self._auth.scopes:
            self._auth.replace(replace(self._auth.current, scopes=scopes))

    # -- Facts about it

    @property
    def connection_id(self) -> str:
        """An opaque id, unique over all nodes, generated on first use."""
        if self._connection_id is None:
            self._connection_id = new_id()
        return self._connection_id

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text."""
        return str(self._user.pk) if self._auth else None

    @property
    def user_kind(self) -> str | None:
        """The kind of its user, without which a primary key identifies no user."""
        return user_kind(self._user, self._auth.current) if self._auth else None

    @property
    def token_id(self) -> str | None:
        """Its token's id."""
        return self._auth.token_id if self._auth else None

    @property
    def backend(self) -> str | None:
        """The name of the backend that admitted it."""
        return self._auth.backend if self._auth else None

    @property
    def location(self) -> str | None:
        """The location of the credential that admitted it."""
        return self._auth.location.value if self._auth else None

    @property
    def issuer(self) -> str | None:
        """The issuer of its token, where the token names one."""
        return self._auth.issuer if self._auth else None

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its token."""
        return self._auth.current.labels if self._auth else {}

    @property
    def issued_at(self) -> float | None:
        """When its token was issued, in seconds since the epoch."""
        return epoch(self._auth.issued_at) if self._auth else None

    @property
    def verified_at(self) -> float | None:
        """When its token was presented, in seconds since the epoch."""
        return self._verified_at

    @property
    def client_address(self) -> ClientAddress | None:
        """The client's address by `TRUSTED_PROXIES`; None where there is none."""
        if self._client_address is _NOT_READ:
            client, proxies = self._scope.get("client"), self.route.trusted_proxies
            headers: list[tuple[bytes, bytes]] = []  # without proxies none is read
            if proxies:
                given = self._scope.get("headers") or ()
                headers = [(name.lower(), value) for name, value in given]
            self._client_address = client_address(client, headers, proxies)
        address: ClientAddress | None = self._client_address
        return address

    @property
    def address(self) -> str | None:
        """The client's IP address as text: see `client_address`."""
        address = self.client_address
        return address.text if address else None

    @property
    def origin(self) -> str | None:
        """The page's Origin."""
        for name, value in self._scope.get("headers") or ():
            # Compare the length first: it excludes most of the fifteen headers of a browser.
            if len(name) == 6 and name.lower() == b"origin":
                return str(value, "latin-1")
        return None

    @property
    def path(self) -> str:
        """The path of its handshake."""
        return str(self._scope.get("path") or "")

    @property
    def is_subscribed(self) -> bool:
        """True if the application has subscribed to the library's events."""
        return self._auth is not None and self._auth.is_subscribed

    @property
    def grant(self) -> Grant | None:
        """The grant that a sweep asks the backend about; None for an anonymous socket."""
        auth = self._auth
        if auth is None:
            return None
        return Grant(
            user_pk=self._user.pk,
            authentication=auth.current,
            handle=self._handle,
            needs_user=False,
            user_kind=self.user_kind,
            verified_at=self._verified_at,
        )

    def facts(self) -> ConnectionFacts:
        """Return its facts for events and lists."""
        # Read the values here and not by the properties above: an audited socket is asked twice,
        # and each property is a call or two.
        auth = self._auth.current if self._auth else None
        address = self._client_address
        if address is _NOT_READ:
            address = self.client_address
        correlation = self.correlation
        return {
            "connection_id": self._connection_id or self.connection_id,
            "node": self._node_name,
            "user_id": self.user_id,
            "user_kind": user_kind(self._user, auth) if auth else None,
            "token_id": auth.token_id if auth else None,
            "backend": auth.backend if auth else None,
            # Its value, in Python 3.11 without the two calls of an enum's property.
            "location": auth.location._value_ if auth else None,
            "address": address.text if address else None,
            "origin": self.origin,
            "path": str(self._scope.get("path") or ""),
            "request_id": correlation.request_id,
            "traceparent": correlation.traceparent,
        }

    def describe(self) -> Mapping[str, Any]:
        """Return its facts and times as plain values, for a message. Times: epoch seconds."""
        facts: dict[str, Any] = {**self.facts()}
        # These two are for logs only. A message with many sockets is smaller without them.
        del facts["request_id"], facts["traceparent"]
        return {
            **facts,
            "issuer": self.issuer,
            "labels": dict(self.labels),
            "opened_at": self._opened_at,
            "expires_at": epoch(self._auth.expires_at) if self._auth else None,
        }
