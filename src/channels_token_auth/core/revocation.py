"""Name the sockets that a revocation closes: by user, token, label, time of issue, or address.

Messages between nodes carry plain values only: texts and numbers in a dictionary, never a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

from .authentication import Authentication, epoch
from .close_codes import CloseReason
from .counting.client_address import read_address
from .denial import is_issued_before
from .identity import UserKey, is_of_kind
from .labels import Labels

__all__ = ["NO_ISSUER", "Described", "Revocation", "Target", "VerifiedToken"]

NO_ISSUER = ""
"""The issuer of a target that means only tokens which name none."""


class Described(Protocol):
    """A socket, or a verified token without one, as targets see it."""

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text; None for an anonymous socket."""

    @property
    def user_kind(self) -> str | None:
        """The kind of its user; None for an anonymous socket."""

    @property
    def token_id(self) -> str | None:
        """Its token's id; None for an anonymous socket."""

    @property
    def backend(self) -> str | None:
        """The name of the backend that verified its token."""

    @property
    def issuer(self) -> str | None:
        """The issuer of its token, where the token names one."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that the backend attached to its token."""

    @property
    def issued_at(self) -> float | None:
        """When its token was issued, in seconds since the epoch; None if that is not known."""

    @property
    def verified_at(self) -> float | None:
        """When its token was presented, in seconds since the epoch; None if that is not known."""

    @property
    def address(self) -> str | None:
        """The client's IP address."""

    @property
    def connection_id(self) -> str:
        """Its own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """A verified token that has no socket, or not yet, as targets see it."""

    authentication: Authentication
    user: UserKey
    verified_at: float | None
    connection_id: str = ""
    address: str | None = None

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text."""
        return self.user.key

    @property
    def user_kind(self) -> str | None:
        """The kind of its user."""
        return self.user.kind

    @property
    def token_id(self) -> str | None:
        """Its id."""
        return self.authentication.token_id

    @property
    def backend(self) -> str | None:
        """The name of the backend that verified it."""
        return self.authentication.backend

    @property
    def issuer(self) -> str | None:
        """Its issuer, where it names one."""
        return self.authentication.issuer

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that the backend attached to it."""
        return self.authentication.labels

    @property
    def issued_at(self) -> float | None:
        """When it was issued, in seconds since the epoch."""
        return epoch(self.authentication.issued_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """All sockets that match every value that is set here. Without values: all sockets.

    `user_id` alone means that key in any kind of user; with the kind `FOREIGN`, in any kind of
    other services. `token_id` alone means that id of any backend and issuer. `issuer`: NO_ISSUER
    means tokens that name none. `labels`: all of these pairs. `issued_before`: seconds since the
    epoch, as in `is_issued_before`.
    """

    user_id: str | None = None
    user_kind: str | None = None
    backend: str | None = None
    issuer: str | None = None
    token_id: str | None = None
    except_token_id: str | None = None
    except_backends: frozenset[str] = frozenset()
    labels: Labels = frozenset()
    issued_before: float | None = None
    connection_id: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        # Sockets have canonical addresses: "2001:DB8:0::1" names the client "2001:db8::1".
        found = None if self.address is None else read_address(self.address)
        if found:
            object.__setattr__(self, "address", found.text)

    @classmethod
    def of_user(cls, user: UserKey | None, **values: Any) -> Self:
        """Return a target with these values; with a user, only sockets of that user."""
        if user is None:
            return cls(**values)
        return cls(user_id=user.key, user_kind=user.kind, **values)

    def matches(self, socket: Described) -> bool:
        """Return whether the socket is one of them."""
        return (
            self.user_id in (None, socket.user_id)
            and is_of_kind(socket.user_kind, self.user_kind)
            and self.backend in (None, socket.backend)
            and self.issuer in (None, socket.issuer or NO_ISSUER)
            and self.token_id in (None, socket.token_id)
            and (self.except_token_id is None or self.except_token_id != socket.token_id)
            and socket.backend not in self.except_backends
            and self.labels.issubset(socket.labels.items())
            and self._is_old_enough(socket)
            and self.connection_id in (None, socket.connection_id)
            and self.address in (None, socket.address)
        )

    def covers(self, other: Self) -> bool:
        """Return whether every socket of the other target is one of this, judged by fields only."""
        is_spared = self.except_token_id is not None and other.token_id in (
            None,
            self.except_token_id,
        )
        return (
            not is_spared
            and (not self.except_backends or self._spares_no_more_than(other))
            and self.labels <= other.labels
            and is_of_kind(other.user_kind, self.user_kind)
            and all(getattr(self, name) in (None, getattr(other, name)) for name in _COMPARED)
        )

    def _spares_no_more_than(self, other: Self) -> bool:
        is_other = other.backend is not None and other.backend not in self.except_backends
        return is_other or self.except_backends <= other.except_backends

    def _is_old_enough(self, socket: Described) -> bool:
        return self.issued_before is None or is_issued_before(
            self.issued_before, socket.issued_at, verified_at=socket.verified_at
        )

    def to_message(self) -> dict[str, Any]:
        """Return the values that are set."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        message = {name: value for name, value in named if value not in (None, frozenset())}
        if self.labels:
            message["labels"] = sorted(list(label) for label in self.labels)
        if self.except_backends:
            message["except_backends"] = sorted(self.except_backends)
        return message

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Read a message. Raises TypeError or ValueError for values that this version lacks."""
        values = dict(message)
        labels = values.pop("labels", ())
        spared = values.pop("except_backends", ())
        return cls(
            **values,
            labels=frozenset((str(name), str(value)) for name, value in labels),
            except_backends=frozenset(map(str, spared)),
        )


_COMPARED = tuple(
    field.name
    for field in fields(Target)
    if field.name not in ("except_token_id", "except_backends", "labels", "user_kind")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The sockets that close, and the reason.

    `deadline`: an epoch time until when their clients may send fresh tokens, which keep the sockets
    open; None: they close at once. All handshakes are refused at once.
    """

    target: Target
    code: CloseReason
    deadline: float | None = None

    def covers(self, other: Self) -> bool:
        """Return whether the other revocation adds nothing to this one."""
        return (
            self.code is other.code
            and self.deadline in (None, other.deadline)
            and self.target.covers(other.target)
        )

    def to_message(self) -> dict[str, Any]:
        """Return plain values."""
        message = {"target": self.target.to_message(), "code": self.code.value}
        return message if self.deadline is None else message | {"deadline": self.deadline}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Read a message. Raises KeyError, TypeError or ValueError if it is none."""
        deadline = message.get("deadline")
        return cls(
            target=Target.from_message(message["target"]),
            code=CloseReason(message["code"]),
            deadline=None if deadline is None else float(deadline),
        )
