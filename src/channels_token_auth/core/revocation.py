"""Which sockets are meant: by user, token, time of issue, socket or node; and how it is written.

What travels between processes is plain: texts and numbers in a dictionary, and never a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

from .close_codes import CloseReason

__all__ = ["Described", "Revocation", "Target"]


class Described(Protocol):
    """What is known of a socket."""

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text; None for an anonymous socket."""

    @property
    def token_id(self) -> str | None:
        """Its token's id; None for an anonymous socket."""

    @property
    def backend(self) -> str | None:
        """The name of the backend that let it in."""

    @property
    def issued_at(self) -> float | None:
        """When its token was issued, in seconds since the epoch; None where nobody knows."""

    @property
    def address(self) -> str | None:
        """The client's IP address."""

    @property
    def connection_id(self) -> str:
        """Its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The sockets for which everything holds that is named here. Nothing named: all sockets.

    `issued_before`: seconds since the epoch. A token of that very moment counts as before it, and
    one that does not say when it was issued too.
    """

    user_id: str | None = None
    backend: str | None = None
    token_id: str | None = None
    except_token_id: str | None = None
    issued_before: float | None = None
    connection_id: str | None = None
    address: str | None = None

    def matches(self, socket: Described) -> bool:
        """Whether the socket is one of them."""
        return (
            self.user_id in (None, socket.user_id)
            and self.backend in (None, socket.backend)
            and self.token_id in (None, socket.token_id)
            and (self.except_token_id is None or self.except_token_id != socket.token_id)
            and self._is_old_enough(socket.issued_at)
            and self.connection_id in (None, socket.connection_id)
            and self.address in (None, socket.address)
        )

    def covers(self, other: Self) -> bool:
        """Whether all that the other one means are meant here too, as far as their fields tell."""
        is_spared = self.except_token_id is not None and other.token_id in (
            None,
            self.except_token_id,
        )
        return not is_spared and all(
            getattr(self, field.name) in (None, getattr(other, field.name))
            for field in fields(self)
            if field.name != "except_token_id"
        )

    def _is_old_enough(self, issued_at: float | None) -> bool:
        return self.issued_before is None or issued_at is None or issued_at <= self.issued_before

    def to_message(self) -> dict[str, Any]:
        """As a dictionary of what is named."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in named if value is not None}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Read it. Raises TypeError where it names what this version does not know."""
        return cls(**message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The sockets that have to go, and why."""

    target: Target
    code: CloseReason

    def covers(self, other: Self) -> bool:
        """Whether the other one adds nothing."""
        return self.code is other.code and self.target.covers(other.target)

    def to_message(self) -> dict[str, Any]:
        """As plain values."""
        return {"target": self.target.to_message(), "code": self.code.value}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Read it. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(target=Target.from_message(message["target"]), code=CloseReason(message["code"]))
