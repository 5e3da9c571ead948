"""Explain to developers why PyJWT refused a token. Import this only where PyJWT is installed."""

import jwt

from ....core.errors import Detail

__all__ = [
    "BAD_SIGNATURE",
    "NOT_A_JWT",
    "UNKNOWN_KEY",
    "UNREADABLE",
    "WRONG_ALGORITHM",
    "WRONG_ISSUER",
    "detail_of",
]

UNREADABLE = (OverflowError, RecursionError, TypeError, ValueError, jwt.PyJWTError)
"""Errors of PyJWT about some text, or about a key of another type than the algorithm."""

BAD_SIGNATURE = Detail(
    slug="bad_signature",
    remedy="None of the backend's keys made the token's signature: compare the keys, and the"
    " algorithms, with the issuer's.",
)
NOT_A_JWT = Detail(slug="not_a_jwt", remedy="The text is no signed JWT in its only encoding.")
UNKNOWN_KEY = Detail(
    slug="unknown_key",
    remedy="The token's 'kid' is not among the keys that the key server publishes: compare its URL"
    " with the issuer that signed the token.",
)
WRONG_ALGORITHM = Detail(
    slug="wrong_algorithm",
    remedy="The token's 'alg' is not among the backend's algorithms: name what the issuer signs"
    " with, if you trust it.",
)
WRONG_ISSUER = Detail(
    slug="wrong_issuer",
    remedy="The claim 'iss' is not the backend's issuer, which has to be equal to the letter, with"
    " or without a slash at its end.",
)

# The first that fits; each is a subclass of PyJWTError.
_DETAILS: tuple[tuple[type[jwt.PyJWTError], Detail], ...] = (
    (jwt.InvalidSignatureError, BAD_SIGNATURE),
    (jwt.InvalidAlgorithmError, WRONG_ALGORITHM),
    (jwt.InvalidIssuerError, WRONG_ISSUER),
    (
        jwt.InvalidAudienceError,
        Detail(
            slug="wrong_audience",
            remedy="The claim 'aud' does not name this site: have the issuer add it, or correct the"
            " backend's audience.",
        ),
    ),
    (
        jwt.ImmatureSignatureError,
        Detail(
            slug="not_yet_valid",
            remedy="The claim 'nbf' or 'iat' is in the future: synchronise the clocks.",
        ),
    ),
    (jwt.DecodeError, NOT_A_JWT),
)


def detail_of(error: BaseException | None) -> Detail | None:
    """Return the detail of one of PyJWT's errors; None for any other error."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return Detail(
            slug="missing_claim",
            remedy=f"The claim {error.claim!r} is missing, which the backend requires: have the"
            " issuer add it.",
        )
    return next((detail for kind, detail in _DETAILS if isinstance(error, kind)), None)
