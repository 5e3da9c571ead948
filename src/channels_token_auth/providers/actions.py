"""Carry out what a provider reports: revoke by session or user, or have clients renew tokens."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from ..backends.contract import Revocations, TokenBackend
from ..core.close_codes import CloseReason
from ..core.identity import unavailable
from ..core.revocation import Revocation
from ..revocation.labels import revoke
from ..revocation.on_commit import after_commit, site_database
from ..revocation.tokens import revoke_token
from ..revocation.users import revoke_user
from ..tenants.site import sockets_here
from ..verification.authenticator import site_authenticator
from ..verification.denylist import CacheUnavailable
from .logins import end_logins
from .provider import Provider
from .subjects import Subject
from .tokens import LEEWAY, Effect, Notice

__all__ = ["can_end_sessions", "carry_out"]

SESSION_LABEL = "sid"
"""The label of a session at the provider (OpenID Connect Back-Channel Logout 1.0, section 2.1)."""

MARGIN = 30.0
"""Seconds in which an open socket may reauthenticate after its user's claims have changed."""

logger = logging.getLogger("channels_token_auth")


def carry_out(notice: Notice, provider: Provider) -> bool:
    """Return True if something was revoked; False if this site knows none of those meant.

    Raises TokenAuthError ("unavailable"), and what a database raises.
    """
    subject = notice.subject
    if subject.token is not None:
        _end_token(subject.token, notice.effect, provider)
        return True
    user = None if subject.user is None else provider.find_user(subject.user)
    if user is None and subject.opaque is not None:
        # [CAEP] §3.1.2 names a session by a simple subject, as others name a user.
        notice = replace(notice, subject=Subject(session=subject.opaque))
    elif user is None and subject.user is not None:
        # Not an error: the provider reports everybody who has logged in anywhere.
        logger.info(
            "The identity provider %s reports a user that this site does not know.",
            provider.settings.issuer,
        )
        return False
    elif user is None and subject.session is None:
        return False  # a device, or an organisation
    match notice.effect:
        case Effect.REVOKE:
            _revoke(notice, provider, user)
        case Effect.RENEW:
            # Tokens with the old claims are refused; open sockets may be given a new one.
            _end_tokens(notice, provider, user, margin=MARGIN)
        case _:
            assert_never(notice.effect)
    return True


def _session_backends(provider: Provider) -> list[str]:
    """Return the provider's backends whose tokens have labels, by which they are denied."""
    return [
        each.name
        for each in site_authenticator().backends
        if each.name in provider.settings.backends and can_end_sessions(each)
    ]


def can_end_sessions(backend: TokenBackend) -> bool:
    """Return True if tokens of one login can be revoked: they carry its `sid`, and are denied."""
    # A backend of a site's own may be older than the attribute.
    has_labels = bool(getattr(backend, "has_labels", False))
    return has_labels and backend.revocations is not Revocations.ROWS


def _end_token(token_id: str, effect: Effect, provider: Provider) -> None:
    issuer, names = provider.settings.issuer, _session_backends(provider)
    if effect is Effect.REVOKE:
        for name in names:
            revoke_token(token_id, backend=name, issuer=issuer)
        return
    targets = [sockets_here(None, token_id=token_id, backend=name, issuer=issuer) for name in names]
    # Its clients fetch a token with the new claims. A denial would have them stop.
    revocations = [Revocation(target=each, code=CloseReason.TOKEN_EXPIRED) for each in targets]
    after_commit(revocations, [], using=site_database(), is_reported=False)


def _revoke(notice: Notice, provider: Provider, user: Any) -> None:
    _end_tokens(notice, provider, user)
    try:
        end_logins(
            provider.settings.issuer,
            session_id=notice.subject.session,
            user_pk=None if user is None else user.pk,
            logged_in_before=notice.issued_before + LEEWAY,
        )
    except CacheUnavailable as error:
        raise unavailable() from error


def _end_tokens(
    notice: Notice, provider: Provider, user: Any, *, margin: float | None = None
) -> None:
    before = datetime.fromtimestamp(notice.issued_before, UTC)
    session, names = notice.subject.session, _session_backends(provider)
    if session is not None and names:
        # If both are named, both must match: a session id belongs to its user.
        revoke(
            label={SESSION_LABEL: session},
            backend=names,
            issuer=provider.settings.issuer,
            user=user,
            issued_before=before,
            margin=margin,
        )
    elif user is not None:
        # All sessions of the user here (OpenID Connect Back-Channel Logout 1.0, section 2.4).
        revoke_user(user, issued_before=before, margin=margin)
