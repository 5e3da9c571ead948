"""The rules one route applies at its route: settings and middleware arguments, frozen."""

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
    """The settings that decide about a handshake. Sizes are bytes."""

    locations: frozenset[Location]
    origins: OriginRule
    schemes: frozenset[str] = frozenset()
    anonymous: bool = False
    refusal: RefusalMode = RefusalMode.AUTO
    max_token_bytes: int = 4096
    query_name: str = "token"
    cookie_name: str = "token"
