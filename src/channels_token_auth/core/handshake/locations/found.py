"""Values found at one location of an opening handshake: a credential, or a problem."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...close_codes import CloseReason
from ...credentials import Credential, Location, Secret, is_visible

__all__ = ["Found", "Header", "Headers", "Problem", "read_value", "spoil"]

Header = tuple[bytes, bytes]
Headers = Sequence[Header]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason to refuse a credential.

    `is_hostile`: refuse before accept, so that the client never receives the code. `scheme`: as in
    `Credential`.
    """

    code: CloseReason
    is_hostile: bool = False
    scheme: str | None = None


Found = Credential | Problem
"""The credential or the problem found at one location."""


def read_value(
    location: Location, values: Sequence[bytes], max_bytes: int, *, scheme: str | None = None
) -> Found | None:
    """Return the credential or the problem in the raw values of a location; None if it has none."""
    if not values:
        return None
    if max(map(len, values)) > max_bytes:
        return Problem(code=CloseReason.MALFORMED, is_hostile=True, scheme=scheme)
    try:
        token = values[0].decode()
    except UnicodeDecodeError:
        token = ""
    if len(values) > 1 or not is_visible(token):  # an empty text is not visible
        return Problem(code=CloseReason.MALFORMED, scheme=scheme)
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def spoil(value: bytes, max_bytes: int) -> bytes:
    """Return a malformed value for `read_value`: too large if the original was too large."""
    return value if len(value) > max_bytes else b""
