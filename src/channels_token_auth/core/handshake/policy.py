"""The rules by which one route reads handshakes: settings and middleware arguments, frozen."""

from dataclasses import dataclass
from enum import StrEnum

from ..credentials import Location
from .origin import OriginRule

__all__ = ["Policy", "RefusalMode"]


class RefusalMode(StrEnum):
    """How a refused handshake is answered."""

    AUTO = "auto"
    """A browser is accepted and closed with the code; any other client gets the HTTP answer."""
    CLOSE = "close"
    """Accept, then close with the code."""
    DENY = "deny"
    """The HTTP answer, before accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings by which a handshake is read and refused. Sizes are in bytes."""

    locations: frozenset[Location]
    origins: OriginRule
    schemes: frozenset[str] = frozenset()
    anonymous: bool = False
    refusal: RefusalMode = RefusalMode.AUTO
    max_token_bytes: int = 4096
    query_name: str = "token"
    cookie_name: str = "token"
