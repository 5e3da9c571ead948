"""Define the facts of a socket, or of a token without one, that revocations compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ..authentication import Authentication, epoch
from ..identity import UserKey

__all__ = ["Described", "VerifiedToken"]


class Described(Protocol):
    """The facts of a socket, or of a verified token without one, that a target compares."""

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
        """The issue time of its token, in seconds since the epoch; None if unknown."""

    @property
    def verified_at(self) -> float | None:
        """The time when its token was presented, in epoch seconds; None if unknown."""

    @property
    def address(self) -> str | None:
        """The client's IP address."""

    @property
    def connection_id(self) -> str:
        """Its own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """The facts of a verified token that has no socket, or not yet."""

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
        """Its issue time, in seconds since the epoch; None if unknown."""
        return epoch(self.authentication.issued_at)
