"""Bounds of a lifecycle: the settings, and the rate of reauthentications."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MAX_REAUTHENTICATIONS", "REAUTHENTICATION_WINDOW", "Rules", "is_flood"]

MAX_REAUTHENTICATIONS = 10
"""Reauthentications in `REAUTHENTICATION_WINDOW` seconds at most: more are a flood."""

REAUTHENTICATION_WINDOW = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Bounds of one route. Times in seconds; None: no bound."""

    max_token_bytes: int = 4096
    auth_timeout: float = 10.0
    verify_timeout: float = 5.0
    expiry_warning: float = 30.0
    max_connection_age: float | None = None


def is_flood(presented: Sequence[float], now: float) -> bool:
    """Return True if one more token exceeds the rate. `presented`: the times of the last ones."""
    if len(presented) < MAX_REAUTHENTICATIONS:
        return False
    return now - presented[0] < REAUTHENTICATION_WINDOW
