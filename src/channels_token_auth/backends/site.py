"""Give backends' checks the settings that they need, without reading Django's settings."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ..core.credentials import Location

__all__ = ["Site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The settings of one route, with its middleware's arguments applied.

    Backends must not read `CHANNELS_TOKEN_AUTH`: they would miss the middleware's arguments.
    `max_connection_age` is in seconds, None if sockets have no maximum age.
    """

    locations: AbstractSet[Location]
    query_name: str = "token"
    cookie_name: str = "token"
    scopes: AbstractSet[str] = frozenset()
    max_connection_age: float | None = None
