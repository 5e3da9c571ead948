"""Define why a provider's request is rejected: RFC 8935's error codes, and details for developers.

The request's sender learns the error code only, as everywhere in this library. The detail is
logged: it helps whoever configures the provider, and would help an attacker as well.
"""

from enum import StrEnum
from typing import Self

from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError

__all__ = ["ErrorCode", "Rejected", "error_code", "malformed", "rejected"]


class ErrorCode(StrEnum):
    """The error codes of RFC 8935, section 2.4, that this library uses, with their descriptions."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        code = str.__new__(cls, value)
        code._value_ = value
        code.description = description
        return code

    INVALID_REQUEST = ("invalid_request", "The request is not a valid token of this endpoint.")
    INVALID_ISSUER = ("invalid_issuer", "The issuer is not accepted here.")
    INVALID_AUDIENCE = ("invalid_audience", "The token was issued for another recipient.")
    AUTHENTICATION_FAILED = ("authentication_failed", "The signature cannot be verified.")
    ACCESS_DENIED = ("access_denied", "The issuer may not report this subject.")


class Rejected(TokenAuthError):  # noqa: N818 - a verdict, named as one
    """A request that revokes nothing: sending it again does not help."""

    def __init__(self, code: CloseReason, detail: Detail, error: ErrorCode) -> None:
        super().__init__(code, detail=detail)
        self.error = error


def malformed(slug: str, remedy: str) -> Rejected:
    """Return the rejection of a request that carries no token in the form that it must have."""
    detail = Detail(slug=slug, remedy=remedy)
    return Rejected(CloseReason.MALFORMED, detail, ErrorCode.INVALID_REQUEST)


def rejected(slug: str, remedy: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> Rejected:
    """Return the rejection of a signed token whose claims are not what they must be."""
    return Rejected(CloseReason.TOKEN_INVALID, Detail(slug=slug, remedy=remedy), error)


# By the slugs of `backends.sources.jwks.errors`; any other one is about the signature or its key.
_ERRORS = {
    "missing_claim": ErrorCode.INVALID_REQUEST,
    "not_a_jwt": ErrorCode.INVALID_REQUEST,
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
