"""Read the signed tokens of identity providers: the required claims and the events of each kind.

The functions are pure. They implement the rules of these specifications:

- [Logout] OpenID Connect Back-Channel Logout 1.0
- [SET] RFC 8417, security event tokens; [Push] RFC 8935, their delivery
- [CAEP] OpenID Continuous Access Evaluation Profile 1.0; [RISC] OpenID RISC Profile 1.0
- [SSF] OpenID Shared Signals Framework 1.0
- [GTR] draft-parecki-oauth-global-token-revocation

The module `provider` has verified signature, issuer, audience, type and required claims before.
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
    """Revoke tokens, and close their sockets with 4410."""
    RENEW = auto()
    """Have clients fetch a new token, with the new claims. Sockets that receive it in time stay
    open; the others close with 4419."""


EFFECTS = {
    f"{CAEP}session-revoked": Effect.REVOKE,  # [CAEP] §3.1
    f"{CAEP}token-claims-change": Effect.RENEW,  # [CAEP] §3.2
    CREDENTIAL_CHANGE: Effect.REVOKE,  # [CAEP] §3.3
    f"{RISC}account-purged": Effect.REVOKE,  # [RISC] §2.2
    f"{RISC}account-disabled": Effect.REVOKE,  # [RISC] §2.3
    f"{RISC}sessions-revoked": Effect.REVOKE,  # [RISC] §2.9, replaced by CAEP's event
}
"""The events that are acted on. Others are acknowledged and ignored, as [SET] §2 requires. Among
them is the verification event of a stream ([SSF] §8.1.4.1), which only has to be acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKind:
    """The rules of one kind of token.

    `max_age`: seconds after `iat` for which it is accepted. `may_omit_typ`: True if a site may
    admit tokens without `typ`, because other claims distinguish this kind from ID and access
    tokens.
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
    # The user's own ID token has the same claims: without `typ`, it would be accepted as one.
    may_omit_typ=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event that a provider reports.

    `subject`: the owner of the tokens. `issued_before`: the event concerns only tokens that were
    issued before, in seconds since the epoch. So a late notice never ends a later login.
    """

    effect: Effect
    subject: Subject
    issued_before: float


def check_times(claims: Claims, kind: TokenKind, *, now: float) -> None:
    """Raise Rejected for a token that is too old, from the future, or has malformed times."""
    times = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    # RFC 7519 §2: a NumericDate is a number. Every comparison with NaN is false, so that such a
    # token would never be too old.
    if not all(map(is_moment, times.values())):
        raise rejected("malformed_time", "'iat', 'exp' or 'nbf' is not a number of seconds.")
    if max(times["iat"], times.get("nbf", times["iat"])) > now + LEEWAY:
        raise rejected("not_yet_valid", "Synchronise this server's clock with the provider's.")
    ends_at = times["iat"] + kind.max_age
    if min(ends_at, times.get("exp", ends_at)) + LEEWAY <= now:
        raise rejected("expired", "The token is too old: it is replayed, or a clock is wrong.")


def read_logout(claims: Claims, *, issuer: str, audience: Sequence[str]) -> list[Notice]:
    """Return the notice in a logout token ([Logout] §2.4 and §2.6). Raises Rejected."""
    # [Logout] §2.4 prohibits `nonce`, so that an ID token is never accepted as a logout token.
    if "nonce" in claims:
        raise rejected("nonce", "The token has a 'nonce': it is an ID token, or forged.")
    events = _events(claims)
    if BACKCHANNEL_LOGOUT not in events:
        raise rejected("no_logout_event", "The claim 'events' has no back-channel logout.")
    _payload(events[BACKCHANNEL_LOGOUT])
    # OpenID Connect Core §3.1.3.7: reject a token with an audience that the site does not trust.
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(map(str, named)) <= set(audience):
        raise rejected("foreign_audience", "Add every value of 'aud' to AUDIENCE, if you trust it.")
    sub, sid = _text(claims, "sub"), _text(claims, "sid")
    if sub is None and sid is None:
        raise rejected("no_subject", "The token has neither 'sub' nor 'sid'.")
    user = None if sub is None else {**claims, "iss": issuer}
    return [_notice(Effect.REVOKE, Subject(user=user, session=sid), claims["iat"])]


def read_security_event(claims: Claims, *, issuer: str) -> list[Notice]:
    """Return the notices in a security event token. Raises Rejected."""
    notices = []
    for name, event in _events(claims).items():
        if name not in EFFECTS:
            continue
        payload = _payload(event)
        # [CAEP] §3.3.1: a credential was added. The tokens in use stay as good as before.
        if name == CREDENTIAL_CHANGE and payload.get("change_type") == "create":
            continue
        # [SSF] §4.1 has `sub_id`; its drafts had `subject` in the event; [SET] §2.2 has `sub`.
        identifier = claims.get("sub_id", payload.get("subject"))
        if identifier is None and "sub" in claims:
            identifier = {"format": "iss_sub", "iss": claims["iss"], "sub": claims["sub"]}
        subject = read_subject(identifier, issuer=issuer)
        notices.append(_notice(EFFECTS[name], subject, _happened_at(claims, payload)))
    return notices


def read_revocation(
    claims: Claims, body: Any, *, issuer: str, user_claim: str | None = None
) -> list[Notice]:
    """Return the notice of a request to revoke all tokens of a user ([GTR] §3). Raises Rejected.

    `claims`: those of the token that authenticates the request. `user_claim`: the only claim by
    which this site finds users; None: any. If the subject names a session, too, that is ignored:
    all tokens of the user have to be revoked ([GTR] §3.3).
    """
    # Okta's first version wrote `subject`.
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
    # Called for known events only: Keycloak adds an event of its own whose value is `true`.
    if not isinstance(event, dict):
        raise rejected("malformed_events", "Each event must be an object.")
    return event


def _text(claims: Claims, name: str) -> str | None:
    """Return a claim that must be a text; None if it is missing. Raises Rejected."""
    value = claims.get(name)
    if value is None:
        return None
    # Printable, because it may become a label or a name in a log line.
    if not isinstance(value, str) or not value or not value.isprintable():
        raise rejected("malformed_claim", f"The claim {name!r} must be a text.")
    return value


def _happened_at(claims: Claims, payload: Mapping[str, Any]) -> float:
    """Return when the event happened, in seconds since the epoch; by default when it was issued.

    A time over a year earlier is taken for a mistake, such as another unit, and ignored: with it,
    no token would be old enough to be revoked.
    """
    given: Any
    for given in (payload.get("event_timestamp"), claims.get("toe")):  # [CAEP] §2; [SET] §2.2
        if is_moment(given) and claims["iat"] - YEAR < given <= claims["iat"]:
            return float(given)
    return float(claims["iat"])


def _notice(effect: Effect, subject: Subject, happened_at: float) -> Notice:
    # Providers use whole seconds. A token of the same second counts as issued before the event.
    return Notice(effect=effect, subject=subject, issued_before=math.floor(happened_at) + 1)
