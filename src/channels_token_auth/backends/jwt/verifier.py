"""Verify a token's signature, issuer, audience and type, and return its claims.

PyJWT verifies. The options choose keys and algorithms, never the token (RFC 8725 §3.1). Times are
checked by `sources.claims`, in the same way for all backends.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt

from ...core.close_codes import CloseReason
from ...core.errors import Detail, TokenAuthError
from ...core.identity import unavailable
from ..contract import Unrecognized
from ..sources.claims import Claims
from ..sources.jwks.errors import (
    BAD_SIGNATURE,
    NOT_A_JWT,
    UNKNOWN_KEY,
    UNREADABLE,
    WRONG_ALGORITHM,
    detail_of,
)
from ..sources.jwks.key_server import KeyServer
from ..sources.jwks.keys import VerifyingKey, read_key
from .options import JWTOptions

__all__ = ["JWTVerifier", "VerifiedClaims"]

# Base64url without padding, as RFC 7515 §2 requires. PyJWT also accepts padding, and older versions
# unused bits that are set. So one token would have several texts and, without a `jti`, several ids.
_PART = r"(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?"
_TEXT = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)

# Times are decided by `sources.claims`; `sub` and `jti` may be numbers.
_LEFT_OUT = dict.fromkeys(
    ("verify_exp", "verify_nbf", "verify_iat", "verify_sub", "verify_jti"), False
)

# PyJWT's errors about a token whose signature and issuer are right.
_REFUSED = (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError)

# The option of the backend that a refused token does not match, by the reason of the refusal.
_OPTIONS = {"wrong_algorithm": "algorithms", "wrong_audience": "audience", "wrong_issuer": "issuer"}

WRONG_TYPE = Detail(
    slug="wrong_type",
    remedy="The token's type, or a claim that the backend requires, has another value: the client"
    " may have sent an ID or refresh token instead of an access token.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaims:
    """A token's claims, and the thumbprint of the key server's key that signed them.

    `typ`: the header's media type, in lower case and without "application/"; "" if it has none.
    """

    claims: Claims
    thumbprint: str | None
    typ: str = ""


class JWTVerifier:
    """Verifies signatures and claims. It does not look for users."""

    def __init__(self, options: JWTOptions) -> None:
        self._options = options
        self._algorithms = tuple(options.algorithms)
        self._required = options.required
        self._settings: Any = {**_LEFT_OUT, "require": list(self._required)}

    def verify(self, raw: str) -> VerifiedClaims | TokenAuthError:
        """Return the token's claims, or why it is refused or left to the next backend."""
        if not _TEXT.fullmatch(raw):
            return Unrecognized(NOT_A_JWT)
        if self._server is None:
            return self._verify_with(self._own_keys, raw)
        return self._verify_by(self._server, raw)

    def withdrawn(self, thumbprints: Collection[str | None]) -> Mapping[str | None, TokenAuthError]:
        """Return the verdict on each key that the key server does not publish any more."""
        asked = {each for each in thumbprints if each is not None}
        if self._server is None or not asked:
            return {}
        gone = self._server.withdrawn(asked)
        if gone is None:
            return dict.fromkeys(asked, unavailable())
        # "Expired" (4419) has the client fetch a new token, signed with a current key.
        return dict.fromkeys(gone, TokenAuthError(CloseReason.TOKEN_EXPIRED))

    @cached_property
    def _server(self) -> KeyServer | None:
        options = self._options
        if options.jwks_url is None:
            return None
        return KeyServer(
            options.jwks_url,
            algorithms=self._algorithms,
            issuers=options.issuers,
            lifetime=options.jwks_lifetime,
            stale=options.jwks_stale,
            timeout=options.jwks_timeout,
        )

    @cached_property
    def _own_keys(self) -> Sequence[VerifyingKey]:
        return [read_key(each, self._algorithms) for each in self._options.own_keys]

    def _verify_by(self, server: KeyServer, raw: str) -> VerifiedClaims | TokenAuthError:
        try:
            header = jwt.get_unverified_header(raw)
        except UNREADABLE as error:
            return Unrecognized(detail_of(error) or NOT_A_JWT)
        if header.get("alg") not in self._algorithms:
            return Unrecognized(self._with_option(WRONG_ALGORITHM))
        key_id = header.get("kid") or None
        keys = server.known(key_id)
        answer = self._verify_with(keys, raw)
        # A token without a `kid` may be signed by a key that was not fetched yet.
        if not isinstance(answer, Unrecognized) or (keys and key_id):
            return answer
        return server.look_for(key_id, raw) or answer

    def _verify_with(
        self, keys: Sequence[VerifyingKey], raw: str
    ) -> VerifiedClaims | TokenAuthError:
        detail = BAD_SIGNATURE if keys else UNKNOWN_KEY
        for key in keys:
            try:
                token = self._decode(key, raw)
            except _REFUSED as error:
                refusal = self._with_option(detail_of(error) or detail)
                return TokenAuthError(CloseReason.TOKEN_INVALID, detail=refusal)
            except UNREADABLE as error:
                detail = self._with_option(detail_of(error) or detail)
                continue
            if self._is_meant(token["header"], token["payload"]):
                return VerifiedClaims(
                    claims=token["payload"],
                    thumbprint=key.thumbprint,
                    typ=_media_type(token["header"]),
                )
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=WRONG_TYPE)
        return Unrecognized(detail)

    def _decode(self, key: VerifyingKey, raw: str) -> dict[str, Any]:
        return jwt.decode_complete(
            raw,
            key.key,
            algorithms=list(key.algorithms),
            audience=self._options.audience,
            issuer=self._options.issuer,
            options=self._settings,
        )

    def _with_option(self, detail: Detail) -> Detail:
        """Add the option that the token does not match. The token's own claim is not repeated."""
        option = _OPTIONS.get(detail.slug)
        if option is None:
            return detail
        return detail.expecting(f"The option {option!r}", getattr(self._options, option))

    def _is_meant(self, header: Mapping[str, Any], claims: Claims) -> bool:
        """Return True for the right type, without critical headers, as none is supported."""
        if "crit" in header:  # RFC 7515 §4.1.11; older versions of PyJWT do not look
            return False
        typ = self._options.header_type
        if typ is not None and _media_type(header) != typ.lower():
            return False
        return all(
            wanted is None or any(_is_same(claims[name], each) for each in wanted)
            for name, wanted in self._required.items()
        )


def _is_same(claim: Any, wanted: Any) -> bool:
    return type(claim) is type(wanted) and bool(claim == wanted)  # True is no 1


def _media_type(header: Mapping[str, Any]) -> str:
    """Return `typ` without the prefix that it may be written with (RFC 7515 §4.1.9)."""
    return str(header.get("typ") or "").lower().removeprefix("application/")
