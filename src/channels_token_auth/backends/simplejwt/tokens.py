"""Simple JWT's token classes, asked so that any text has an answer, and none of them a query."""

from errno import EOVERFLOW
from functools import cache
from json import JSONDecodeError
from typing import Any

import jwt
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken, Token

from ...core.close_codes import CloseReason
from ...core.errors import TokenAuthError
from ...core.identity import unavailable

__all__ = ["read_token"]

# Not signed by us, as far as we can see: another backend may know it.
_FOREIGN = (
    jwt.DecodeError,
    jwt.InvalidAlgorithmError,
    jwt.InvalidIssuerError,
    jwt.PyJWKClientError,
)

# Claims of the wrong kind.
_UNREADABLE = (OverflowError, RecursionError, TypeError, ValueError)


def read_token(raw: str) -> Token | TokenAuthError | None:
    """What the first class of `AUTH_TOKEN_CLASSES` makes of it that takes it; or why none does; or
    None where we have not signed it. Whether it is blacklisted is not asked.
    """
    refusal: TokenAuthError | None = None
    for token_class in api_settings.AUTH_TOKEN_CLASSES:
        answer = _read(_without_query(token_class), raw)
        if isinstance(answer, Token):
            return answer if _has_safe_type(answer) else TokenAuthError(CloseReason.TOKEN_INVALID)
        refusal = refusal or answer
    return refusal


def _has_safe_type(token: Token) -> bool:
    """Whether it says of itself that it is no refresh token, whatever its class accepts."""
    return token.get(api_settings.TOKEN_TYPE_CLAIM) not in (None, RefreshToken.token_type)


def _read(token_class: Any, raw: str) -> Token | TokenAuthError | None:
    try:
        token: Token = token_class(raw)
    except ExpiredTokenError:
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    except TokenError as error:
        return _refusal(error)
    except (JSONDecodeError, jwt.PyJWKSetError):  # in a key server's answer
        return unavailable()
    except _UNREADABLE:
        return TokenAuthError(CloseReason.TOKEN_INVALID)
    except OSError as error:
        # Of a date that no calendar has; of anything else a token says nothing.
        is_date = error.errno == EOVERFLOW
        return TokenAuthError(CloseReason.TOKEN_INVALID) if is_date else unavailable()
    token.token = None  # the text: a stateless user would show it to the consumer
    return token


def _refusal(error: TokenError) -> TokenAuthError | None:
    # The package says "Token is invalid" of all; PyJWT's own error stands behind its backend's.
    cause = error.__cause__ and error.__cause__.__cause__
    if isinstance(cause, jwt.PyJWKClientConnectionError):
        return unavailable()
    return None if isinstance(cause, _FOREIGN) else TokenAuthError(CloseReason.TOKEN_INVALID)


@cache
def _without_query(token_class: Any) -> Any:
    """The class without the package's own query for the blacklist. A site's own check stays."""
    own = getattr(token_class, "check_blacklist", None)
    if own is None or own is not BlacklistMixin.check_blacklist:
        return token_class
    return type(token_class.__name__, (token_class,), {"check_blacklist": lambda self: None})
