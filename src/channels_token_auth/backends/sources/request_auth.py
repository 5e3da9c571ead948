"""What a class of Django REST framework gives as `request.auth`, read as claims.

It may be a mapping, as of a JWT; an object, as of a row; a text; or nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["moment", "text"]

_EPOCH = datetime.fromtimestamp(0, UTC)


def text(auth: Any, name: str) -> str:
    """The claim, or "" where it is none or no text."""
    claim = _claim(auth, name)
    return claim if isinstance(claim, str) else ""


def moment(auth: Any, name: str) -> datetime | None:
    """The claim in seconds since the epoch (RFC 7519 §2), or None where it is none or no date."""
    try:
        return _EPOCH + timedelta(seconds=_claim(auth, name))
    except (OverflowError, TypeError, ValueError):
        return None


def _claim(auth: Any, name: str) -> Any:
    try:
        return auth[name]
    except (LookupError, TypeError):
        return getattr(auth, name, None)
