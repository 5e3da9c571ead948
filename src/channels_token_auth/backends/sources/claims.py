"""Turn registered claims into an `Authentication`: one set of rules for all signed tokens.

The backend has verified the signature, the issuer and the audience, or a server has. This module
checks what the claims contain about time, use and owner.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ...clock import clock
from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, is_token
from ...core.errors import Detail, TokenAuthError
from ...core.labels import NO_LABELS

__all__ = ["CLIENTS", "EXPIRED", "MOMENTS_AHEAD", "ClaimRules", "Claims", "is_moment"]

Claims = Mapping[str, Any]

LEEWAY = 5.0
"""Seconds that `iat` and `nbf` may be ahead: clocks differ (RFC 7519, section 4.1.5)."""

MOMENTS_AHEAD = 60.0
"""Longest time until `nbf` for which a client is asked to try again, in seconds."""

MAX_ID_BYTES = 128
"""Most bytes of a `jti`. The token's digest replaces longer ones, in logs and cache keys."""

CLIENTS = ("client_id", "azp", "cid", "appid")
"""Claims that name the client: RFC 9068, OpenID Connect, and the names of Okta and Entra."""

MACHINE_GRANTS = frozenset({"client-credentials", "client_credentials"})
"""Values of `gty` in tokens of clients: text of Auth0, or a list of FusionAuth."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_800
"""The seconds of the years 1 and 10000, which no datetime reaches."""

EXPIRED = Detail(slug="expired", remedy="The token has expired: the client has to fetch another.")
KEY_BOUND = Detail(
    slug="key_bound",
    remedy="The token is bound to a key or certificate (claim 'cnf', RFC 7800), whose proof a"
    " WebSocket handshake does not carry: have the issuer issue plain bearer tokens for sockets.",
)
MACHINE = Detail(
    slug="machine_token",
    remedy="The token belongs to a client and not to a user (client credentials): use a token of a"
    " user, or set the option 'allow_machines' if your users include machines.",
)
NOT_YET_VALID = Detail(
    slug="not_yet_valid",
    remedy="The claim 'nbf' or 'iat' is in the future: synchronise this server's clock with the"
    " issuer's, or raise the option 'leeway'.",
)
MALFORMED = Detail(
    slug="malformed_claim",
    remedy="One of 'exp', 'iat', 'nbf' and 'auth_time' is no number of seconds since 1970, or is"
    " out of range: correct what issues the tokens (RFC 7519, section 2).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """The rules of one backend. Times are in seconds.

    `leeway`: how long a token is good after `exp`; and how far `iat` and `nbf` may be ahead, at
    least 5 s. `is_dated`: False if a server has decided already that the token is valid now.
    `labels`: claims that become labels besides `sid` and `client_id`.
    """

    backend: str
    leeway: float = 0.0
    is_dated: bool = True
    id_claim: str = "jti"
    max_id_bytes: int = MAX_ID_BYTES
    scope_claim: str | None = "scope"
    labels: Sequence[str] = ()
    allows_machines: bool = True

    def read(self, claims: Claims, credential: Credential) -> Authentication | TokenAuthError:
        """Return how the token authenticates, or why it is refused."""
        try:
            return self._refusal(claims) or self._authentication(claims, credential)
        except (OverflowError, TypeError):  # no date, or one that the leeway moves out of range
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=MALFORMED)

    def _refusal(self, claims: Claims) -> TokenAuthError | None:
        now = clock.calendar()
        # Check this first: the client of an expired token fetches a new one by itself (4419).
        expires_at = _seconds(claims, "exp")
        if expires_at is not None and expires_at + self.leeway <= now:
            return TokenAuthError(CloseReason.TOKEN_EXPIRED, detail=EXPIRED)
        # A proof of possession is part of a request, and is missing here (RFC 7800, section 3.1).
        if claims.get("cnf") is not None:
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=KEY_BOUND)
        if not self.allows_machines and _is_machine(claims):
            # The token is valid, so do not send its client to a login.
            return TokenAuthError(CloseReason.FORBIDDEN, detail=MACHINE)
        return self._immature(claims, now) if self.is_dated else None

    def _immature(self, claims: Claims, now: float) -> TokenAuthError | None:
        # RFC 7519, sections 4.1.5 and 4.1.6. `iat` in the future is refused as well, which the RFC
        # leaves open: it would survive every later "issued before".
        starts = [_seconds(claims, name) for name in ("iat", "nbf")]
        ahead = max((each - now for each in starts if each is not None), default=0.0)
        if ahead <= max(LEEWAY, self.leeway):
            return None
        if ahead <= MOMENTS_AHEAD:
            return TokenAuthError(CloseReason.UNAVAILABLE, math.ceil(ahead), NOT_YET_VALID)
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=NOT_YET_VALID)

    def _authentication(self, claims: Claims, credential: Credential) -> Authentication:
        expires_at = _moment(claims, "exp")
        return Authentication(
            backend=self.backend,
            token_id=self._id(claims) or credential.secret.digest,
            location=credential.location,
            scopes=_scopes(claims.get(self.scope_claim or "")),
            # Unchanged, even if it is ahead of our clock: denials use `verified_at` too.
            issued_at=_moment(claims, "iat"),
            # A socket that is admitted after `exp` must not be closed at once.
            expires_at=expires_at and expires_at + timedelta(seconds=self.leeway),
            labels=self._labels(claims) or NO_LABELS,
            acr=_text(claims, "acr"),
            auth_time=_moment(claims, "auth_time"),
            issuer=_text(claims, "iss"),
        )

    def _id(self, claims: Claims) -> str | None:
        # Any text is allowed (RFC 7519, section 4.1.7), so bound what goes into logs and cache
        # keys.
        token_id = _text(claims, self.id_claim)
        return token_id if token_id and is_token(token_id, self.max_id_bytes) else None

    @property
    def label_names(self) -> frozenset[str]:
        """Return the names of the labels that tokens may have."""
        return frozenset({"client_id", "sid", *self.labels})

    def _labels(self, claims: Claims) -> dict[str, str]:
        # `azp` is the name in ID tokens (OpenID Connect Core 1.0, section 2).
        clients = (claims.get(name) for name in ("client_id", "azp"))
        named = {"client_id": next(filter(_is_label, clients), None)}
        named |= {name: claims.get(name) for name in ("sid", *self.labels)}
        return {name: str(value) for name, value in named.items() if _is_label(value)}


def is_moment(claim: Any) -> bool:
    """Return True for a NumericDate (RFC 7519, section 2) within the calendar, so not for NaN."""
    return _is_number(claim) and _FIRST <= claim < _LAST


def _is_number(claim: Any) -> bool:
    # In Python, True is the number 1.
    return isinstance(claim, int | float) and not isinstance(claim, bool)


def _seconds(claims: Claims, name: str) -> int | float | None:
    """Return the time that a claim names, None where it is missing. Raises TypeError."""
    claim: int | float | None = claims.get(name)
    if claim is not None and not is_moment(claim):
        raise TypeError(name)
    return claim


def _text(claims: Claims, name: str) -> str | None:
    claim = claims.get(name)
    return claim if isinstance(claim, str) else None


def _moment(claims: Claims, name: str) -> datetime | None:
    seconds = _seconds(claims, name)
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def _is_machine(claims: Claims) -> bool:
    """Return True for a token of the client itself: RFC 9068, section 2.2; Auth0; Entra."""
    # With client credentials, `sub` is the client itself (RFC 9068, section 2.2). As texts: some
    # issuers write either of them as a number, and a number names a user too.
    clients = {_name(claims.get(name)) for name in CLIENTS} - {None}
    grants = claims.get("gty")
    grants = grants if isinstance(grants, list) else [grants]
    return (
        _name(claims.get("sub")) in clients
        or any(each in grants for each in MACHINE_GRANTS)
        or claims.get("idtyp") == "app"
    )


def _name(claim: Any) -> str | None:
    """Return the text of a claim that names a user or a client; None for any other value."""
    is_name = isinstance(claim, str | int) and not isinstance(claim, bool)
    return str(claim) if is_name else None


def _scopes(claim: Any) -> frozenset[str]:
    """Return the words of a text (RFC 8693, section 4.2), or the texts of a list."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    return frozenset(word for word in words if isinstance(word, str))


def _is_label(value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number or (isinstance(value, str) and value != "" and value.isprintable())
