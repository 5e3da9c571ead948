"""Read the signed tokens of identity providers: what each kind must contain, and what it reports.

Pure rules, in one place, from the specifications that they cite:

- [Logout] OpenID Connect Back-Channel Logout 1.0
- [SET] RFC 8417, security event tokens; [Push] RFC 8935, their delivery
- [CAEP] OpenID Continuous Access Evaluation Profile 1.0; [RISC] OpenID RISC Profile 1.0
- [SSF] OpenID Shared Signals Framework 1.0
- [GTR] draft-parecki-oauth-global-token-revocation

Signature, issuer, audience, type and required claims were verified before.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ..backends.sources.claims import is_moment
from .rejection import rejected
from .subjects import Claims, Subject, read_subject

__all__ = [
    "LEEWAY",
    "LOGOUT_TOKEN",
    "REVOCATION_REQUEST",
    "SECURITY_EVENT_TOKEN",
    "Effect",
    "Notice",
    "TokenKind",
    "check_times",
    "read_logout",
    "read_revocation",
    "read_security_event",
]

LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""

DAY = 24 * 60 * 60
YEAR = 365 * DAY

BACKCHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
CREDENTIAL_CHANGE = f"{CAEP}credential-change"


class Effect(Enum):
    """The effect of a reported event on the tokens and sockets that it concerns."""

    REVOKE = auto()
    """Tokens end, and their sockets close with 4410."""
    RENEW = auto()
    """Clients fetch a fresh token, with the new claims: their sockets stay open if it comes soon,
    and close with 4419 otherwise."""


EFFECTS = {
    f"{CAEP}session-revoked": Effect.REVOKE,  # [CAEP] §3.1
    f"{CAEP}token-claims-change": Effect.RENEW,  # [CAEP] §3.2
    CREDENTIAL_CHANGE: Effect.REVOKE,  # [CAEP] §3.3
    f"{RISC}account-purged": Effect.REVOKE,  # [RISC] §2.2
    f"{RISC}account-disabled": Effect.REVOKE,  # [RISC] §2.3
    f"{RISC}sessions-revoked": Effect.REVOKE,  # [RISC] §2.9, what CAEP's event has replaced
}
"""The events that are acted on. Others are acknowledged and ignored, as [SET] §2 wants: among them
the verification event of a stream ([SSF] §8.1.4.1), which has to be acknowledged only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKind:
    """The rules of one kind of token. `max_age`: seconds for which it is accepted.

    `may_omit_typ`: whether a site may admit tokens without `typ`: its other claims tell this kind
    from ID and access tokens.
    """

    typ: str
    required: tuple[str, ...]
    max_age: int
    may_omit_typ: bool = True


LOGOUT_TOKEN = TokenKind(
    typ="logout+jwt",  # [Logout] §2.4
    required=("iss", "aud", "iat", "exp", "jti", "events"),
    max_age=DAY,
)
SECURITY_EVENT_TOKEN = TokenKind(
    typ="secevent+jwt",  # [SET] §2.3
    required=("iss", "aud", "iat", "jti", "events"),  # [SET] §2.2; `aud` by [SSF] §4.1.8
    max_age=7 * DAY,  # transmitters retry for days, and `exp` is not recommended ([SET] §2.2)
)
REVOCATION_REQUEST = TokenKind(
    typ="global-token-revocation+jwt",  # Okta's profile of [GTR]
    required=("iss", "aud", "iat", "exp", "jti"),
    max_age=DAY,
    # Every user has an ID token with these claims: only the type tells them apart.
    may_omit_typ=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that a provider reports.

    `subject`: whose tokens it concerns. `issued_before`: only those issued before, in seconds since
    the epoch. A notice that is late, or is sent again, never ends a later login.
    """

    effect: Effect
    subject: Subject
    issued_before: float


def check_times(claims: Claims, kind: TokenKind, *, now: float) -> None:
    """Raise Rejected for a token that is too old, from the future, or has no proper times."""
    times = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    # RFC 7519 §2: a NumericDate is a number. A text or NaN would slip through a comparison.
    if not all(map(is_moment, times.values())):
        raise rejected("malformed_time", "'iat', 'exp' or 'nbf' is no number of seconds.")
    if max(times["iat"], times.get("nbf", times["iat"])) > now + LEEWAY:
        raise rejected("not_yet_valid", "Synchronise this server's clock with the provider's.")
    ends_at = times["iat"] + kind.max_age
    if min(ends_at, times.get("exp", ends_at)) + LEEWAY <= now:
        raise rejected("expired", "The token is too old: it is replayed, or a clock is wrong.")


def read_logout(claims: Claims, *, issuer: str, audience: Sequence[str]) -> list[Notice]:
    """Return what a logout token reports ([Logout] §2.4 and §2.6). Raises Rejected."""
    # Prohibited, so that no logout token can pass for an ID token, nor an ID token for it.
    if "nonce" in claims:
        raise rejected("nonce", "The token has a 'nonce': it is an ID token, or forged.")
    events = _events(claims)
    if BACKCHANNEL_LOGOUT not in events:
        raise rejected("no_logout_event", "The claim 'events' has no back-channel logout.")
    _payload(events[BACKCHANNEL_LOGOUT])
    # As of ID tokens (OpenID Connect Core §3.1.3.7): no audience that is not trusted.
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(map(str, named)) <= set(audience):
        raise rejected("foreign_audience", "Add every value of 'aud' to AUDIENCE, if you trust it.")
    sub, sid = _text(claims, "sub"), _text(claims, "sid")
    if sub is None and sid is None:
        raise rejected("no_subject", "The token has neither 'sub' nor 'sid'.")
    user = None if sub is None else {**claims, "iss": issuer}
    return [_notice(Effect.REVOKE, Subject(user=user, session=sid), claims["iat"])]


def read_security_event(claims: Claims, *, issuer: str) -> list[Notice]:
    """Return what a security event token reports. Raises Rejected."""
    notices = []
    for name, event in _events(claims).items():
        if name not in EFFECTS:
            continue
        payload = _payload(event)
        # A credential that was added takes nothing away from the tokens in use ([CAEP] §3.3.1).
        if name == CREDENTIAL_CHANGE and payload.get("change_type") == "create":
            continue
        # [SSF] §4.1; in the event itself before its final version; and [SET] §2.2, `sub`.
        identifier = claims.get("sub_id", payload.get("subject"))
        if identifier is None and "sub" in claims:
            identifier = {"format": "iss_sub", "iss": claims["iss"], "sub": claims["sub"]}
        subject = read_subject(identifier, issuer=issuer)
        notices.append(_notice(EFFECTS[name], subject, _happened_at(claims, payload)))
    return notices


def read_revocation(
    claims: Claims, body: Any, *, issuer: str, user_claim: str | None = None
) -> list[Notice]:
    """Return what a request to revoke all tokens of a user reports ([GTR] §3). Raises Rejected.

    `claims`: of the token that authenticates the request. `user_claim`: the only one that this site
    finds users by; None: any. A session of the user that the subject
    names as well changes nothing: all tokens have to be revoked ([GTR] §3.3).
    """
    # `subject` is the name of Okta's first version.
    identifier = body.get("sub_id", body.get("subject")) if isinstance(body, dict) else None
    subject = read_subject(identifier, issuer=issuer)
    user = subject.user
    if user is None or user_claim not in (None, *user):  # §3.4.2: an unsupported type is malformed
        raise rejected(
            "no_user",
            "The request's 'sub_id' names no user in a format by which this site finds users:"
            " choose another format there, or set USER to a function that knows this one.",
        )
    return [_notice(Effect.REVOKE, Subject(user=subject.user), claims["iat"])]


def _events(claims: Claims) -> Mapping[str, Any]:
    """Return the events by their names: at least one ([SET] §2.2). Raises Rejected."""
    events = claims["events"]
    if not isinstance(events, dict) or not events:
        raise rejected("malformed_events", "The claim 'events' must be an object with events.")
    return events


def _payload(event: Any) -> Mapping[str, Any]:
    # Only of the events that count: Keycloak adds a member of its own whose value is `true`.
    if not isinstance(event, dict):
        raise rejected("malformed_events", "Each event must be an object.")
    return event


def _text(claims: Claims, name: str) -> str | None:
    """Return a claim that has to be a text, if it is there; printable, since it becomes a label."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise rejected("malformed_claim", f"The claim {name!r} must be a text.")
    return value


def _happened_at(claims: Claims, payload: Mapping[str, Any]) -> float:
    """Return when the event happened: before the token was issued, if the token tells.

    A time of over a year before is a mistake, such as another unit: nothing would be revoked.
    """
    given: Any
    for given in (payload.get("event_timestamp"), claims.get("toe")):  # [CAEP] §2; [SET] §2.2
        if is_moment(given) and claims["iat"] - YEAR < given <= claims["iat"]:
            return float(given)
    return float(claims["iat"])


def _notice(effect: Effect, subject: Subject, happened_at: float) -> Notice:
    # Providers have whole seconds: a token of the same second was issued before the logout.
    return Notice(effect=effect, subject=subject, issued_before=math.floor(happened_at) + 1)
