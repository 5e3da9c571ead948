"""The outputs of a lifecycle, as values. The connection acts on them, in order."""

from dataclasses import dataclass

from ..close_codes import CloseReason
from ..credentials import Secret
from ..errors import Detail

__all__ = ["Abandon", "Close", "Output", "Send", "Verify", "Warn"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class Warn:
    """Send a text frame that warns of the end in `expires_in` seconds; notify the application."""

    text: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Verify a token, then call `admit` or `refuse`."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Abandon:
    """Cancel the running verification, whose verdict no longer counts."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket. `retry_after`: seconds until the client may reconnect, if known. `detail`:
    the reason for the site's developers, if there is one.
    """

    code: CloseReason
    retry_after: int | None = None
    detail: Detail | None = None


Output = Send | Warn | Verify | Abandon | Close
