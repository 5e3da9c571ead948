"""What an access token of allauth's JWT strategy says, once its signature is right.

PyJWT verifies it, by `HEADLESS_JWT_ALGORITHM` and `HEADLESS_JWT_PRIVATE_KEY`; allauth's own
function doesn't tell an expired token from a forged one. Only the claim `sid` is left to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.module_loading import import_string

from ...core.close_codes import CloseReason
from ...core.errors import TokenAuthError

__all__ = ["Presented", "algorithm_and_key", "read_access_token"]

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "HS256", "HS384", "HS512"})

CHECKS: Any = {"require": ["exp", "iat"], "verify_aud": False, "verify_iss": False}
"""allauth sets neither `aud` nor `iss`; a site's own claims may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """On which session a token stands; and for whom and until when, where it says so."""

    session_key: str = field(repr=False)
    subject: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


def read_access_token(token: str) -> Presented | TokenAuthError | None:
    """What it says; or why it is refused; or None where we have not signed it."""
    algorithm, key = algorithm_and_key()
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm], options=CHECKS)
    except jwt.ExpiredSignatureError:
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    except (jwt.DecodeError, jwt.InvalidAlgorithmError, RecursionError):
        return None
    except jwt.InvalidTokenError:
        return TokenAuthError(CloseReason.TOKEN_INVALID)
    return _presented(claims) or TokenAuthError(CloseReason.TOKEN_INVALID)


def algorithm_and_key() -> tuple[str, Any]:
    """By what allauth signs, and the key that verifies it. Raises ValueError if there is none."""
    algorithm = getattr(settings, "HEADLESS_JWT_ALGORITHM", "RS256")
    key = getattr(settings, "HEADLESS_JWT_PRIVATE_KEY", "")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"HEADLESS_JWT_ALGORITHM {algorithm!r} is none that allauth signs with.")
    if algorithm.startswith("HS"):
        return algorithm, key or settings.SECRET_KEY
    if not key:
        raise ValueError("HEADLESS_JWT_PRIVATE_KEY is missing.")
    return algorithm, _public_key(key)


def _presented(claims: Mapping[str, Any]) -> Presented | None:
    subject, session_id = claims.get("sub"), claims.get("sid")
    if claims.get("token_use") != "access" or not isinstance(session_id, str):
        return None
    try:
        session_key = _session_key(session_id)
        times = [datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp")]
    except (OSError, OverflowError, TypeError, ValueError):
        return None
    if not session_key or not isinstance(subject, str):
        return None
    issued_at, expires_at = times
    return Presented(
        session_key=session_key, subject=subject, issued_at=issued_at, expires_at=expires_at
    )


def _session_key(session_id: str) -> str | None:
    # By its path, since it needs the app registry. It has been the same since JWTs came.
    path = "allauth.headless.tokens.strategies.jwt.internal.session_key_from_sid"
    key: str | None = import_string(path)(session_id)
    return key


@lru_cache(maxsize=2)
def _public_key(pem: str) -> Any:
    return load_pem_private_key(pem.encode(), password=None).public_key()
