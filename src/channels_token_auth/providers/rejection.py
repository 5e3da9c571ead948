"""Define why a provider's request is rejected: RFC 8935's error codes, and details for developers.

The sender of the request receives the error code only. The detail is logged: it helps the person
who configures the provider, and would help an attacker, too.
"""

from enum import StrEnum
from typing import Self

from ..backends.contract import Unrecognized
from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError

__all__ = [
    "ErrorCode",
    "Rejected",
    "error_code",
    "is_signed",
    "malformed",
    "rejected",
    "unsigned",
]


class ErrorCode(StrEnum):
    """The error codes of RFC 8935, section 2.4, that this library uses, with their descriptions."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        code = str.__new__(cls, value)
        code._value_ = value
        code.description = description
        return code

    INVALID_REQUEST = ("invalid_request", "The request is not a valid token of this endpoint.")
    INVALID_KEY = ("invalid_key", "The key of the signature is not accepted here.")
    INVALID_ISSUER = ("invalid_issuer", "The issuer is not accepted here.")
    INVALID_AUDIENCE = ("invalid_audience", "The token was issued for another recipient.")
    AUTHENTICATION_FAILED = ("authentication_failed", "The signature cannot be verified.")
    ACCESS_DENIED = ("access_denied", "The issuer may not report this subject.")


class Rejected(TokenAuthError):  # noqa: N818 - a verdict, named as one
    """The refusal of a request that revokes nothing. Sending it again does not help.

    `is_signed`: True if its token has a valid signature, which proves that a provider has sent it.
    """

    def __init__(
        self, code: CloseReason, detail: Detail, error: ErrorCode, *, is_signed: bool
    ) -> None:
        super().__init__(code, detail=detail)
        self.error = error
        self.is_signed = is_signed


def malformed(slug: str, remedy: str) -> Rejected:
    """Return the rejection of a request in which no token was found."""
    detail = Detail(slug=slug, remedy=remedy)
    return Rejected(CloseReason.MALFORMED, detail, ErrorCode.INVALID_REQUEST, is_signed=False)


def rejected(slug: str, remedy: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> Rejected:
    """Return the rejection of a signed token with a wrong claim."""
    detail = Detail(slug=slug, remedy=remedy)
    return Rejected(CloseReason.TOKEN_INVALID, detail, error, is_signed=True)


def unsigned(slug: str, remedy: str) -> Rejected:
    """Return the rejection of a text that is not a signed token."""
    detail = Detail(slug=slug, remedy=remedy)
    return Rejected(CloseReason.TOKEN_INVALID, detail, ErrorCode.INVALID_REQUEST, is_signed=False)


def is_signed(error: TokenAuthError) -> bool:
    """Return True if a provider's key made the signature of the token that is refused."""
    if isinstance(error, Rejected):
        return error.is_signed
    # The verifier of JWTs reads the claims only after the signature: "Unrecognized" comes before.
    return error.code is CloseReason.TOKEN_INVALID and not isinstance(error, Unrecognized)


# The slugs of `backends.sources.jwks.errors`. Any other slug is about the signature or its key.
_ERRORS = {
    "missing_claim": ErrorCode.INVALID_REQUEST,
    "not_a_jwt": ErrorCode.INVALID_REQUEST,
    "unknown_key": ErrorCode.INVALID_KEY,
    "wrong_audience": ErrorCode.INVALID_AUDIENCE,
    "wrong_issuer": ErrorCode.INVALID_ISSUER,
    "wrong_type": ErrorCode.INVALID_REQUEST,
}


def error_code(error: TokenAuthError) -> ErrorCode:
    """Return the error code of a refusal, whether made here or by the verifier of JWTs."""
    if isinstance(error, Rejected):
        return error.error
    slug = error.detail.slug if error.detail else ""
    return _ERRORS.get(slug, ErrorCode.AUTHENTICATION_FAILED)
