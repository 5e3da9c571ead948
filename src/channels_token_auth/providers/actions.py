"""Carry out what a provider reports: revoke by session or user, or have clients renew tokens."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, assert_never

from ..backends.contract import Revocations, TokenBackend
from ..core.close_codes import CloseReason
from ..core.identity import FOREIGN, unavailable
from ..core.revocation import Revocation
from ..revocation.carry_out import attempt_all
from ..revocation.labels import revoke_known_labels
from ..revocation.on_commit import after_commit, site_database
from ..revocation.tokens import revoke_known_token
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

SUBJECT_LABEL = "sub"
"""The label of a user at the provider, where a site has added it to a backend's option `labels`."""

MARGIN = 30.0
"""Seconds in which an open socket may reauthenticate after its user's claims have changed."""

logger = logging.getLogger("channels_token_auth")


def carry_out(notice: Notice, provider: Provider) -> bool:
    """Act on a notice. Return False if this site has none of the users or sessions in it.

    Raises TokenAuthError ("unavailable"), and what a database raises.
    """
    steps = (_carry_out_here, _end_user_of_others)
    is_known = any(attempt_all(partial(step, notice, provider) for step in steps))
    if not is_known and notice.subject.user is not None:
        # Not an error: the provider reports logouts of its users who never logged in here, too.
        logger.info(
            "The identity provider %s reports a user that this site does not know.",
            provider.settings.issuer,
        )
    return is_known


def _carry_out_here(notice: Notice, provider: Provider) -> bool:
    subject = notice.subject
    if subject.token is not None:
        _end_token(subject.token, notice.effect, provider)
        return True
    user = None if subject.user is None else provider.find_user(subject.user)
    if user is None and subject.opaque is not None:
        # [CAEP] §3.1.2 names a session by a simple subject, which usually names a user.
        notice = replace(notice, subject=Subject(session=subject.opaque))
    elif user is None and subject.user is not None:
        if subject.session is not None and _backends_of_others(provider):
            _end_session_of_others(notice, provider)
            return True
        return False
    elif user is None and subject.session is None:
        return False  # a device, or an organisation
    match notice.effect:
        case Effect.REVOKE:
            _revoke(notice, provider, user)
        case Effect.RENEW:
            # Tokens with the old claims are revoked, but open sockets may be given a new one.
            _end_tokens(notice, provider, user)
        case _:
            assert_never(notice.effect)
    return True


def _session_backends(provider: Provider) -> list[str]:
    """Return the names of the provider's backends whose tokens can be revoked by a label."""
    return [
        each.name
        for each in site_authenticator().backends
        if each.name in provider.settings.backends and can_end_sessions(each)
    ]


def _backends_of_others(provider: Provider) -> list[str]:
    """Return those of them whose users have no row here, such as stateless Simple JWT."""
    foreign = {each.name for each in site_authenticator().backends if each.user_kind == FOREIGN}
    return [name for name in _session_backends(provider) if name in foreign]


def can_end_sessions(backend: TokenBackend) -> bool:
    """Return True if the tokens of one login can be revoked.

    They must have its `sid` as a label, and the denylist must apply to them.
    """
    # A site's own backend may have been written before this attribute existed.
    has_labels = bool(getattr(backend, "has_labels", False))
    return has_labels and backend.revocations is not Revocations.ROWS


def _end_token(token_id: str, effect: Effect, provider: Provider) -> None:
    issuer, names = provider.settings.issuer, _session_backends(provider)
    if effect is Effect.REVOKE:
        revoke = partial(revoke_known_token, token_id, issuer=issuer)
        attempt_all(partial(revoke, backend=name) for name in names)
        return
    targets = [sockets_here(None, token_id=token_id, backend=name, issuer=issuer) for name in names]
    # 4419: the clients fetch a token with the new claims. After a denial, 4410, they would stop.
    revocations = [Revocation(target=each, code=CloseReason.TOKEN_EXPIRED) for each in targets]
    after_commit(revocations, [], using=site_database(), is_reported=False)


def _revoke(notice: Notice, provider: Provider, user: Any) -> None:
    attempt_all(
        partial(end, notice, provider, user) for end in (_end_tokens, _end_remembered_logins)
    )


def _end_remembered_logins(notice: Notice, provider: Provider, user: Any) -> None:
    try:
        end_logins(
            provider.settings.issuer,
            session_id=notice.subject.session,
            user_pk=None if user is None else user.pk,
            logged_in_before=notice.issued_before + LEEWAY,
        )
    except CacheUnavailable as error:
        raise unavailable() from error


def _end_tokens(notice: Notice, provider: Provider, user: Any) -> None:
    names = _session_backends(provider)
    if notice.subject.session is not None and names:
        # If the notice names a user as well, both must match: a session id belongs to its user.
        others = _backends_of_others(provider)
        own = [each for each in names if each not in others]
        attempt_all(
            [
                partial(_end_session, notice, provider, own, user=user),
                partial(_end_session_of_others, notice, provider),
            ]
        )
    elif user is not None:
        # Without `sid`, a logout token is about all sessions of the user here (OpenID Connect
        # Back-Channel Logout 1.0, section 2.4).
        revoke_user(user, issued_before=_before(notice), margin=_margin(notice))


def _end_session_of_others(notice: Notice, provider: Provider) -> None:
    """Revoke the tokens of a session whose user has no row here.

    Nothing shows whether the notice's user is the token's. The id of the session suffices: it is
    unique for its issuer.
    """
    _end_session(notice, provider, _backends_of_others(provider), user=None)


def _end_user_of_others(notice: Notice, provider: Provider) -> bool:
    """Revoke the tokens of a user who has no row here, if their backends label tokens by `sub`.

    Return False if no backend does, or if the notice names no such user. If it names a session as
    well, both must match: that session's tokens are revoked by its id.
    """
    subject = notice.subject
    user = None if subject.user is None else subject.user.get(SUBJECT_LABEL)
    names = [
        each.name
        for each in site_authenticator().backends
        if each.name in _backends_of_others(provider)
        and SUBJECT_LABEL in getattr(each, "label_names", ())
    ]
    if subject.session is not None or not isinstance(user, str) or not names:
        return False
    _end_labeled(notice, provider, names, label={SUBJECT_LABEL: user}, user=None)
    return True


def _end_session(notice: Notice, provider: Provider, names: Sequence[str], *, user: Any) -> None:
    if names:
        label = {SESSION_LABEL: str(notice.subject.session)}
        _end_labeled(notice, provider, names, label=label, user=user)


def _end_labeled(
    notice: Notice,
    provider: Provider,
    names: Sequence[str],
    *,
    label: Mapping[str, str],
    user: Any,
) -> None:
    revoke_known_labels(
        label=label,
        backend=names,
        issuer=provider.settings.issuer,
        user=user,
        issued_before=_before(notice),
        margin=_margin(notice),
    )


def _before(notice: Notice) -> datetime:
    return datetime.fromtimestamp(notice.issued_before, UTC)


def _margin(notice: Notice) -> float | None:
    return MARGIN if notice.effect is Effect.RENEW else None
