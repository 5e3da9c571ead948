"""The settings that the life of a socket depends on."""

from dataclasses import dataclass

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Bounds of one route. Times in seconds; None: no bound."""

    max_token_bytes: int = 4096
    auth_timeout: float = 10.0
    verify_timeout: float = 5.0
    expiry_warning: float = 30.0
    max_connection_age: float | None = None
