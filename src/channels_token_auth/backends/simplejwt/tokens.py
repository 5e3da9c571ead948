"""Read text with Simple JWT's token classes: any text gets a verdict, without a query."""

import copy
from datetime import timedelta
from errno import EOVERFLOW
from functools import cache, lru_cache
from typing import Any

import jwt
from django.utils.module_loading import import_string
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken, Token

from ...core.close_codes import CloseReason
from ...core.errors import Detail, TokenAuthError
from ...core.identity import unavailable
from ..contract import Unrecognized
from ..sources.claims import EXPIRED, MOMENTS_AHEAD
from ..sources.jwks.errors import NOT_A_JWT, UNKNOWN_KEY, detail_of

__all__ = ["leeway_of", "read_token"]

PATIENCE = timedelta(seconds=MOMENTS_AHEAD)
"""Seconds by which the package's leeway is extended, so that `sources.claims` checks times."""

# Not signed by us, as far as we can see: another backend may know it.
_FOREIGN = (
    jwt.DecodeError,
    jwt.InvalidAlgorithmError,
    jwt.InvalidIssuerError,
)

# Claims of the wrong kind.
_UNREADABLE = (OverflowError, RecursionError, TypeError, ValueError)

# The setting that a refused token does not match, by the reason of the refusal.
_SETTINGS = {"wrong_algorithm": "ALGORITHM", "wrong_audience": "AUDIENCE", "wrong_issuer": "ISSUER"}

WRONG_TYPE = Detail(
    slug="wrong_type",
    remedy="The token is of none of AUTH_TOKEN_CLASSES: it may be a refresh token, or its type, id"
    " or expiry is missing. The client has to send the access token.",
)


def read_token(raw: str) -> Token | TokenAuthError:
    """Return the token, read by the first class of `AUTH_TOKEN_CLASSES` that accepts it; or why
    none does. The blacklist and the times are not checked, except an expiry long ago.
    """
    refusal: TokenAuthError | None = None
    for token_class in api_settings.AUTH_TOKEN_CLASSES:
        answer = _read(_adapted(token_class), raw)
        if isinstance(answer, Token):
            if _has_critical_header(raw):
                return _invalid(None)
            return answer if _has_safe_type(answer) else _invalid(WRONG_TYPE)
        if refusal is None or isinstance(refusal, Unrecognized):
            refusal = answer
    return refusal or Unrecognized(NOT_A_JWT)


def leeway_of(token: Token) -> float:
    """Return the package's leeway in seconds."""
    leeway: timedelta = token.get_token_backend().get_leeway() - PATIENCE
    return leeway.total_seconds()


def _has_critical_header(raw: str) -> bool:
    """Return True if the token has critical headers (RFC 7515 §4.1.11): none is supported."""
    # Older versions of PyJWT do not look.
    try:
        return "crit" in jwt.get_unverified_header(raw)
    except jwt.PyJWTError:  # a token class of the site accepts a format of its own
        return False


def _has_safe_type(token: Token) -> bool:
    """Return True if it has a type other than a refresh token's, whatever its class accepts."""
    return token.get(api_settings.TOKEN_TYPE_CLAIM) not in (None, RefreshToken.token_type)


def _read(token_class: Any, raw: str) -> Token | TokenAuthError:
    try:
        token: Token = token_class(raw)
    except ExpiredTokenError:
        return TokenAuthError(CloseReason.TOKEN_EXPIRED, detail=EXPIRED)
    except TokenError as error:
        return _refusal(error)
    except TokenAuthError as verdict:  # of its key
        return verdict.with_traceback(None)
    except _UNREADABLE:
        return _invalid(None)
    except OSError as error:
        # A date outside the calendar; any other error is not about the token.
        return _invalid(None) if error.errno == EOVERFLOW else unavailable()
    token.token = None  # the text: a stateless user would show it to the consumer
    return token


def _refusal(error: TokenError) -> TokenAuthError:
    # The package's text is the same for all. PyJWT's error is behind the one of its backend.
    cause = error.__cause__ and error.__cause__.__cause__
    if isinstance(cause, _FOREIGN):
        return Unrecognized(_with_setting(detail_of(cause) or NOT_A_JWT))
    return _invalid(_with_setting(detail_of(cause) or WRONG_TYPE))


def _with_setting(detail: Detail) -> Detail:
    """Add the setting that the token does not match. The token's own claim is not repeated."""
    name = _SETTINGS.get(detail.slug)
    if name is None:
        return detail
    return detail.expecting(f'SIMPLE_JWT["{name}"]', getattr(api_settings, name))


def _invalid(detail: Detail | None) -> TokenAuthError:
    return TokenAuthError(CloseReason.TOKEN_INVALID, detail=detail)


@cache
def _adapted(token_class: Any) -> Any:
    """Return a subclass without the package's query for the blacklist, and with a longer leeway.

    A check of the blacklist that a site wrote itself stays.
    """
    own_backend = token_class.get_token_backend
    members: dict[str, Any] = {"get_token_backend": lambda self: _patient(own_backend(self))}
    # The package defines the method only if its app `token_blacklist` is installed.
    packages_own = getattr(BlacklistMixin, "check_blacklist", None)
    if packages_own and getattr(token_class, "check_blacklist", None) is packages_own:
        members["check_blacklist"] = lambda self: None
    return type(token_class.__name__, (token_class,), members)


@lru_cache(maxsize=8)
def _patient(token_backend: Any) -> Any:
    """Return the backend with a longer leeway, because our own rules check the times; and with keys
    that are fetched in the background: the package blocks for up to 30 s to fetch them.
    """
    patient = copy.copy(token_backend)
    patient.leeway = token_backend.get_leeway() + PATIENCE
    if token_backend.jwks_client is not None:
        patient.jwks_client = _Keys(token_backend)
    return patient


class _Keys:
    """The keys of `JWK_URL`, as the package asks its own client for them."""

    def __init__(self, token_backend: Any) -> None:
        # By its path: it needs 'cryptography', which secrets do without.
        key_server = import_string("channels_token_auth.backends.sources.jwks.key_server.KeyServer")
        issuer = token_backend.issuer
        self._server = key_server(
            token_backend.jwks_client.uri,
            algorithms=[token_backend.algorithm],
            issuers=[issuer] if isinstance(issuer, str) else issuer or (),
        )

    def get_signing_key_from_jwt(self, raw: str) -> Any:
        """Return the key of a token. Raises TokenAuthError if it is not known, or not known yet."""
        header = jwt.get_unverified_header(raw)
        for key in self._server.known(header.get("kid")):
            return key
        raise self._server.look_for(header.get("kid"), raw) or Unrecognized(UNKNOWN_KEY)
