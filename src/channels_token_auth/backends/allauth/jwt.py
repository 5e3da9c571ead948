"""Read an access token of allauth's JWT strategy, once its signature is right.

PyJWT verifies it, by `HEADLESS_JWT_ALGORITHM` and `HEADLESS_JWT_PRIVATE_KEY`: the function of
allauth returns the same for expired and forged tokens. allauth decrypts only the claim `sid`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.module_loading import import_string

from ...core.close_codes import CloseReason
from ...core.credentials import Credential
from ...core.errors import Detail, TokenAuthError
from ..contract import Unrecognized
from ..sources.claims import ClaimRules
from ..sources.jwks.errors import NOT_A_JWT, detail_of

__all__ = ["Presented", "algorithm_and_key", "read_access_token"]

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "HS256", "HS384", "HS512"})

CHECKS: Any = {
    "require": ["exp", "iat"],
    # allauth sets neither; a site's own claims may.
    **dict.fromkeys(("verify_aud", "verify_iss"), False),
    # Decided by `sources.claims`.
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False),
}


WRONG_TYPE = Detail(
    slug="wrong_type",
    remedy="The token is no access token of allauth: the client may have sent a refresh token.",
)
RULES = ClaimRules(backend="allauth_jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The session of a token; and the user and the times that the token names, if it does."""

    session_key: str = field(repr=False)
    subject: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


def read_access_token(credential: Credential) -> Presented | TokenAuthError:
    """Return the claims of the token, or why it is refused or left to the next backend."""
    algorithm, key = algorithm_and_key()
    try:
        raw = credential.secret.reveal()
        token = jwt.decode_complete(raw, key, algorithms=[algorithm], options=CHECKS)
    except (jwt.DecodeError, jwt.InvalidAlgorithmError, RecursionError) as error:
        return Unrecognized(detail_of(error) or NOT_A_JWT)
    except jwt.InvalidTokenError as error:
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=detail_of(error))
    if "crit" in token["header"]:  # RFC 7515 §4.1.11; older versions of PyJWT do not look
        return TokenAuthError(CloseReason.TOKEN_INVALID)
    claims = token["payload"]
    authentication = RULES.read(claims, credential)
    if isinstance(authentication, TokenAuthError):
        return authentication
    subject, session_key = claims.get("sub"), _session_key(claims.get("sid"))
    if claims.get("token_use") != "access" or not isinstance(subject, str) or not session_key:
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=WRONG_TYPE)
    return Presented(
        session_key=session_key,
        subject=subject,
        issued_at=authentication.issued_at,
        expires_at=authentication.expires_at,
    )


def algorithm_and_key() -> tuple[str, Any]:
    """Return the algorithm and the key for verification. Raises ValueError if there is none."""
    algorithm = getattr(settings, "HEADLESS_JWT_ALGORITHM", "RS256")
    key = getattr(settings, "HEADLESS_JWT_PRIVATE_KEY", "")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"HEADLESS_JWT_ALGORITHM {algorithm!r} is none that allauth signs with.")
    if algorithm.startswith("HS"):
        return algorithm, key or settings.SECRET_KEY
    if not key:
        raise ValueError("HEADLESS_JWT_PRIVATE_KEY is missing.")
    return algorithm, _public_key(key)


def _session_key(session_id: Any) -> str | None:
    # By its path, since it needs the app registry. It has been the same since JWTs came.
    path = "allauth.headless.tokens.strategies.jwt.internal.session_key_from_sid"
    try:
        key: str | None = import_string(path)(session_id)
    except (TypeError, ValueError):  # not a text that allauth has encrypted
        return None
    return key


@lru_cache(maxsize=2)
def _public_key(pem: str) -> Any:
    return load_pem_private_key(pem.encode(), password=None).public_key()
