"""A socket as its node sees it: whose it is, since when, from where. Nothing of it is secret."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.dispatch import Signal

from ..core.asgi_types import Scope
from ..core.authentication import epoch
from ..core.identity import Grant, Identity
from ..node.node import Node
from ..verification.route import Route
from .live_authentication import LiveAuthentication

__all__ = ["Member", "Verified"]


class Member:
    """What a `Connection` is to others. Anonymous sockets have neither a user nor a token."""

    __slots__ = (
        "_auth",
        "_handle",
        "_id",
        "_opened_at",
        "_scope",
        "_user",
        "node",
        "route",
    )  # fmt: skip

    def __init__(self, node: Node, route: Route, scope: Scope) -> None:
        self.node = node
        self.route = route
        self._id: str | None = None
        self._scope = scope
        self._opened_at = time.time()
        self._user: Any = None
        self._auth: LiveAuthentication | None = None
        self._handle: Any = None

    @property
    def connection_id(self) -> str:
        """An opaque id, unique over all nodes, made when it is first asked for."""
        if self._id is None:
            # Random, since users see it: a serial number would show how many sockets there are.
            self._id = secrets.token_hex(8)
        return self._id

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text."""
        return str(self._user.pk) if self._auth else None

    @property
    def token_id(self) -> str | None:
        """Its token's id."""
        return self._auth.token_id if self._auth else None

    @property
    def backend(self) -> str | None:
        """The name of the backend that let it in."""
        return self._auth.backend if self._auth else None

    @property
    def issued_at(self) -> float | None:
        """When its token was issued, in seconds since the epoch."""
        return epoch(self._auth.issued_at) if self._auth else None

    @property
    def address(self) -> str | None:
        """The client's IP address, as the server tells it."""
        client = self._scope.get("client")
        return str(client[0]) if client else None

    @property
    def grant(self) -> Grant | None:
        """What its backend is asked about at each sweep."""
        auth = self._auth
        if auth is None:
            return None
        return Grant(
            user_pk=self._user.pk,
            authentication=auth.current,
            handle=self._handle,
            needs_user=False,
        )

    def follow(self, identity: Identity) -> None:
        """Its token stands: with these scopes, which are all that changes without a new one."""
        scopes = identity.authentication.scopes
        if self._auth and scopes != self._auth.scopes:
            self._auth.replace(replace(self._auth.current, scopes=scopes))

    def tell(self, signal: Signal, **more: Any) -> None:
        """Tell a site's audit of what has happened to it."""
        self.node.audit.tell(signal, lambda: {**self._who(), **more})

    @property
    def origin(self) -> str | None:
        """The page's Origin."""
        values = (value for name, value in self._scope["headers"] if name.lower() == b"origin")
        return next((value.decode("latin-1") for value in values), None)

    @property
    def path(self) -> str:
        """The path that was asked for."""
        return str(self._scope["path"])

    def describe(self) -> Mapping[str, Any]:
        """All of it as plain values. Times are seconds since the epoch."""
        expires_at = epoch(self._auth.expires_at) if self._auth else None
        return {**self._who(), "opened_at": self._opened_at, "expires_at": expires_at}

    def _who(self) -> dict[str, Any]:
        return {
            "connection_id": self.connection_id,
            "node": self.node.name,
            "user_id": self.user_id,
            "token_id": self.token_id,
            "backend": self.backend,
            "location": self._auth.location.value if self._auth else None,
            "address": self.address,
            "origin": self.origin,
            "path": self.path,
        }


class Verified:
    """An identity that no socket has yet, as `RevocationLog` ask about it."""

    def __init__(self, identity: Identity) -> None:
        self.connection_id = ""
        self.address: str | None = None
        self.user_id: str | None = str(identity.user.pk)
        self.backend: str | None = identity.authentication.backend
        self.token_id: str | None = identity.authentication.token_id
        self.issued_at = epoch(identity.authentication.issued_at)
