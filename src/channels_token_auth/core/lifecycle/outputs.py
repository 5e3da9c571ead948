"""The outputs of a lifecycle, as values. The connection acts on them, in order."""

from dataclasses import dataclass

from ..close_codes import CloseReason
from ..credentials import Secret

__all__ = ["Abandon", "Close", "Output", "Send", "Verify"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Verify a token, then call `admit` or `refuse`."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up the verification that is running: its verdict no longer counts."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket."""

    code: CloseReason


Output = Send | Verify | Abandon | Close
