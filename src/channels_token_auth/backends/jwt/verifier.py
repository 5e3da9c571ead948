"""From a token's text to its claims. Signatures and dates are PyJWT's affair; which keys and
algorithms count is the options', and never the token's.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt

from ...core.close_codes import CloseReason
from ...core.errors import TokenAuthError
from ...core.identity import unavailable
from .key_server import KeyServer, KeyServerAwayError
from .keys import VerifyingKey, read_key
from .options import JWTOptions

__all__ = ["Claims", "JWTVerifier", "Verified"]

Claims = Mapping[str, Any]

# Base64url in the one way that RFC 7515 §2 writes it: PyJWT also reads padding, and older versions
# stray bits, so that a token would have several texts, and those that bear no `jti` several names.
_PART = r"(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?"
_TEXT = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)

# What PyJWT says of a token whose signature is right.
_REFUSED = (
    jwt.ImmatureSignatureError,
    jwt.InvalidAudienceError,
    jwt.InvalidIssuedAtError,
    jwt.MissingRequiredClaimError,
)

# What it raises of any text, and of a key that is of another type than the algorithm.
_UNREADABLE = (OverflowError, RecursionError, TypeError, ValueError, jwt.PyJWTError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a token says, and the thumbprint of the key server's key by which it does."""

    claims: Claims
    thumbprint: str | None


class JWTVerifier:
    """Verifies signatures and claims, and knows no users."""

    def __init__(self, options: JWTOptions) -> None:
        self._options = options
        self._algorithms = tuple(options.algorithms)
        self._required = [*(["exp"] if options.require_exp else []), *options.required_claims]

    def verify(self, raw: str) -> Verified | TokenAuthError | None:
        """What it says; or why it is refused; or None: it is another issuer's, or nobody's."""
        if not _TEXT.fullmatch(raw):
            return None
        try:
            keys = self._keys(raw)
        except KeyServerAwayError:
            return unavailable()
        answers = (self._verify_with(key, raw) for key in keys)
        return next((answer for answer in answers if answer is not None), None)

    def withdrawn(self, thumbprints: Collection[str | None]) -> Mapping[str | None, TokenAuthError]:
        """Those of the keys that the key server has no longer, and what is answered."""
        asked = set(thumbprints) - {None}
        if self._server is None or not asked:
            return {}
        try:
            known = {key.thumbprint for key in self._server.find(None)}
        except KeyServerAwayError:
            return dict.fromkeys(asked, unavailable())
        # A fresh token, signed by today's key, is all that the client needs.
        return dict.fromkeys(asked - known, TokenAuthError(CloseReason.TOKEN_EXPIRED))

    @cached_property
    def _server(self) -> KeyServer | None:
        options = self._options
        if options.jwks_url is None:
            return None
        return KeyServer(
            options.jwks_url,
            algorithms=self._algorithms,
            lifetime=options.jwks_lifetime,
            stale=options.jwks_stale,
            timeout=options.jwks_timeout,
        )

    @cached_property
    def _own_keys(self) -> Sequence[VerifyingKey]:
        return [read_key(each, self._algorithms) for each in self._options.own_keys]

    def _keys(self, raw: str) -> Sequence[VerifyingKey]:
        if self._server is None:
            return self._own_keys
        try:
            header = jwt.get_unverified_header(raw)
        except _UNREADABLE:
            return ()
        # Only what it may have signed is worth a question.
        return self._server.find(header.get("kid")) if header.get("alg") in self._algorithms else ()

    def _verify_with(self, key: VerifyingKey, raw: str) -> Verified | TokenAuthError | None:
        try:
            token = jwt.decode_complete(
                raw,
                key.key,
                algorithms=list(key.algorithms),
                audience=self._options.audience,
                issuer=self._options.issuer,
                leeway=self._options.leeway,
                options={"require": self._required},
            )
        except jwt.ExpiredSignatureError:
            return TokenAuthError(CloseReason.TOKEN_EXPIRED)
        except _REFUSED:
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        except _UNREADABLE:
            return None
        claims: Claims = token["payload"]
        if self._is_meant(token["header"], claims):
            return Verified(claims=claims, thumbprint=key.thumbprint)
        return TokenAuthError(CloseReason.TOKEN_INVALID)

    def _is_meant(self, header: Mapping[str, Any], claims: Claims) -> bool:
        """Whether it is a token of the right type, with nothing critical that we don't know."""
        if "crit" in header:  # RFC 7515 §4.1.11; older versions of PyJWT do not look
            return False
        if self._options.typ is not None and _media_type(header) != self._options.typ.lower():
            return False
        if self._options.token_type is None:
            return True
        name, value = self._options.token_type
        return bool(claims.get(name) == value)


def _media_type(header: Mapping[str, Any]) -> str:
    """What `typ` says, without the prefix that it may be written with (RFC 7515 §4.1.9)."""
    return str(header.get("typ", "")).lower().removeprefix("application/")
