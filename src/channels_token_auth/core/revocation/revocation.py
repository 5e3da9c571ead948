"""A revocation: the sockets that close, and the reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..close_codes import CloseReason
from .target import Target

__all__ = ["Revocation"]


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
        """Read a message. Raises KeyError, TypeError or ValueError if it is malformed."""
        deadline = message.get("deadline")
        return cls(
            target=Target.from_message(message["target"]),
            code=CloseReason(message["code"]),
            deadline=None if deadline is None else float(deadline),
        )
