"""Name the sockets that a revocation closes: by user, token, label, time of issue, or address.

Messages between nodes carry plain values only: texts and numbers in a dictionary, never a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ..counting.client_address import read_address
from ..denial import is_issued_before
from ..identity import UserKey, is_of_kind
from ..labels import Labels
from ..token_names import NamedToken, is_same_token
from .described import Described

__all__ = ["NO_ISSUER", "Target"]

NO_ISSUER = ""
"""The issuer of a target that means only tokens which name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """All sockets that match every value that is set here. Without values: all sockets.

    `user_id` alone means that key in any kind of user; with the kind `FOREIGN`, in any kind of
    other services. `token_id` alone means that id of any backend and issuer; it may be the token's
    name instead, as in `token_name`. `issuer`: NO_ISSUER means tokens that name none.
    `except_backend`, `except_issuer`: those of the token with `except_token_id`. `labels`: all of
    these pairs. `issued_before`: seconds since the epoch, as in `is_issued_before`.
    """

    user_id: str | None = None
    user_kind: str | None = None
    backend: str | None = None
    issuer: str | None = None
    token_id: str | None = None
    except_token_id: str | None = None
    except_backend: str | None = None
    except_issuer: str | None = None
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
        """Return whether the socket matches."""
        return (
            self.user_id in (None, socket.user_id)
            and is_of_kind(socket.user_kind, self.user_kind)
            and self.backend in (None, socket.backend)
            and self.issuer in (None, socket.issuer or NO_ISSUER)
            and (self.token_id is None or is_same_token(self.token_id, socket.token_id))
            and not self._excepts(socket)
            and socket.backend not in self.except_backends
            and self.labels.issubset(socket.labels.items())
            and self._is_old_enough(socket)
            and self.connection_id in (None, socket.connection_id)
            and self.address in (None, socket.address)
        )

    def covers(self, other: Self) -> bool:
        """Return whether every socket of the other target is one of this, by the fields only."""
        # A target that spares a token does not cover one that may include that token.
        is_spared = self.except_token_id is not None and (
            other.token_id is None or is_same_token(self.except_token_id, other.token_id)
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

    def _excepts(self, socket: Described) -> bool:
        if self.except_token_id is None:
            return False
        excepted = NamedToken(
            token_id=self.except_token_id, backend=self.except_backend, issuer=self.except_issuer
        )
        return excepted.is_of(socket.token_id, backend=socket.backend, issuer=socket.issuer)

    def _is_old_enough(self, socket: Described) -> bool:
        return self.issued_before is None or is_issued_before(
            self.issued_before, socket.issued_at, verified_at=socket.verified_at
        )

    def to_message(self) -> dict[str, Any]:
        """Return the values that are set."""
        # Without the values that are not set: a node of the previous version does not know the
        # newer ones, and ignores only messages that need them.
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        message = {name: value for name, value in named if value not in (None, frozenset())}
        # Sorted lists, since JSON has no sets, and equal targets shall be equal messages.
        if self.labels:
            message["labels"] = sorted(list(label) for label in self.labels)
        if self.except_backends:
            message["except_backends"] = sorted(self.except_backends)
        return message

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Read a message. Raises TypeError or ValueError for values that this version lacks."""
        # Unknown names raise, on purpose: a target with one condition less would close sockets that
        # it does not mean.
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
    if not field.name.startswith("except_") and field.name not in ("labels", "user_kind")
)
