"""Verify django-allauth's headless tokens: session tokens, and JWTs that belong to a session.

Both are valid while their session is, so `token_id` is the digest of the session's key, the same
for all JWTs of one login. The functions of allauth accept inactive users and logged-out sessions,
verify one token at a time, and may write to the database. So they are not used here.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from allauth.headless import app_settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, Secret
from ...core.errors import Detail, TokenAuthError
from ...core.identity import Grant, Verdict
from ..base import BaseTokenBackend
from ..contract import Authority, Revocations, RevocationSignal
from ..site import Site
from ..sources.keys import read_key
from ..sources.moments import has_passed
from ..sources.revalidation import revalidate_presented
from ..sources.sessions.engines import Session, is_in_database
from ..sources.sessions.users import NO_USER, has_password_of
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from .announcements import announcements
from .checks import check_installation, check_signing, check_strategy, strategy_problem
from .jwt import Presented, read_access_token
from .logins import Login, Logins, has_lists

__all__ = ["AllauthJWTBackend", "AllauthSessionTokenBackend"]

SESSION_KEY_SHAPE = re.compile(r"[a-z0-9]{32}")
"""The shape of the session keys that Django makes."""

JWT_SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
"""Three parts in base64url (RFC 7515 §3.1)."""


OTHER_USER = Detail(
    slug="wrong_subject",
    remedy="The token's 'sub' is not the user who is logged in with its session: let the client log"
    " in again.",
)


class _AllauthBackend(BaseTokenBackend):
    """The common base of both backends."""

    follows_session = True
    authority = Authority.OWNER
    extra = "allauth"

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        # Sessions in a cache may block: they get a lane apart from that of the database.
        self.is_local = is_in_database()
        # Without lists, sessions cannot be found by their users.
        self.revocations = Revocations.ROWS if has_lists() else Revocations.NOWHERE
        self._logins = Logins()
        self._users_by_key = UsersByKey()

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch, with two queries if the sessions have a table."""
        read = [self._read(credential) for credential in credentials]
        logins = self._logins.find({p.session_key for p in read if isinstance(p, Presented)})
        return [
            self._verdict(credential, each, logins.get(each.session_key))
            if isinstance(each, Presented)
            else each
            for credential, each in zip(credentials, read, strict=True)
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Revalidate the batch, with two queries."""
        if not has_lists():
            return revalidate_presented(grants, self.authenticate, self._users_by_key)
        logins = self._logins.find_logins(grants)
        return [self._standing(*each) for each in zip(grants, logins, strict=True)]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """End the sessions that are listed. Without `usersessions` they are not found."""
        if has_lists():
            self._logins.revoke(grants)
        return [has_lists()] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """End the user's sessions, if they are listed."""
        if has_lists():
            self._logins.revoke_user(
                user_pk, except_token_id=except_token_id, issued_before=issued_before
            )
        return has_lists()

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce logouts; sessions that are removed from their user's list; and, if the sessions
        have a table, sessions whose key is replaced.
        """
        return announcements()

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """Report a missing app, and an engine whose sessions cannot be ended."""
        return [*check_installation(), *self._check_tokens()]

    @abstractmethod
    def _read(self, credential: Credential) -> Presented | TokenAuthError | None:
        """Return the claims of the token, or the verdict on it. Asks no database."""

    @abstractmethod
    def _check_tokens(self) -> Iterator[checks.CheckMessage]: ...

    @abstractmethod
    def _expires_at(self, expires_at: datetime | None, session: Session) -> datetime: ...

    @abstractmethod
    def _without_session(self) -> Verdict: ...

    def _verdict(
        self, credential: Credential, presented: Presented, login: Login | None
    ) -> Verdict:
        if login is None:
            return self._without_session()
        if refusal := _refusal(login) or _mistaken(login.user, presented.subject):
            return refusal
        authentication = Authentication(
            backend=self.name,
            token_id=Secret(presented.session_key).digest,
            location=credential.location,
            # A session token has no time of its own: it was issued by the login.
            issued_at=presented.issued_at or login.began_at,
            expires_at=self._expires_at(presented.expires_at, login.session),
        )
        # Without lists, only the credential itself finds the session again.
        return admit(login.user, authentication, handle=None if has_lists() else credential)

    def _standing(self, grant: Grant, login: Login | None) -> Verdict:
        if login is None or login.user is None:
            return TokenAuthError(CloseReason.TOKEN_REVOKED)
        expires_at = self._expires_at(grant.authentication.expires_at, login.session)
        if has_passed(expires_at):
            return TokenAuthError(CloseReason.TOKEN_EXPIRED)
        if refusal := _refusal(login):
            return refusal
        return admit(login.user, replace(grant.authentication, expires_at=expires_at))


class AllauthSessionTokenBackend(_AllauthBackend):
    """Accepts the session tokens of allauth's app client (`X-Session-Token`), as bearer tokens.

    `name`: for `Authentication.backend`.
    """

    schemes = frozenset({"bearer"})

    def __init__(self, *, name: str = "allauth") -> None:
        super().__init__(name=name)

    def recognizes(self, credential: Credential) -> bool:
        """Recognize text in the shape of a session's key."""
        return bool(SESSION_KEY_SHAPE.fullmatch(credential.secret.reveal()))

    def _read(self, credential: Credential) -> Presented | TokenAuthError | None:
        if problem := strategy_problem():
            # Raised, and so answered with "unavailable": a wrong setting proves nothing about a
            # token.
            raise ImproperlyConfigured(problem)
        return Presented(session_key=credential.secret.reveal())

    def _expires_at(self, expires_at: datetime | None, session: Session) -> datetime:
        return session.expires_at  # later if the session was used since

    def _without_session(self) -> Verdict:
        # Any text of this shape: it may be a token of the next backend.
        return None

    def _check_tokens(self) -> Iterator[checks.CheckMessage]:
        return check_strategy()


class AllauthJWTBackend(_AllauthBackend):
    """Accepts the access tokens of allauth's JWT strategy, while their sessions exist.

    The algorithm and the key are those of `HEADLESS_JWT_*`. The session is always verified, even if
    `HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED` is False. `name`: for `Authentication.backend`.
    """

    def __init__(self, *, name: str = "allauth_jwt") -> None:
        super().__init__(name=name)
        self.schemes = frozenset({"bearer", app_settings.JWT_AUTHORIZATION_HEADER_SCHEME.lower()})

    def recognizes(self, credential: Credential) -> bool:
        """Recognize text in the shape of a JWT."""
        return bool(JWT_SHAPE.fullmatch(credential.secret.reveal()))

    def _read(self, credential: Credential) -> Presented | TokenAuthError | None:
        return read_access_token(credential)

    def _expires_at(self, expires_at: datetime | None, session: Session) -> datetime:
        # The token ends with its session, even if its own 'exp' is later.
        return min(expires_at or session.expires_at, session.expires_at)

    def _without_session(self) -> Verdict:
        # The signature is ours, so there was a session, and it has ended.
        return TokenAuthError(CloseReason.TOKEN_REVOKED)

    def _check_tokens(self) -> Iterator[checks.CheckMessage]:
        return check_signing()


def _refusal(login: Login) -> TokenAuthError | None:
    if has_passed(login.session.expires_at):
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    if login.user is None:
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=NO_USER)
    if isinstance(login.user, TokenAuthError):
        return login.user
    is_current = has_password_of(login.user, login.session.data)
    return None if is_current else TokenAuthError(CloseReason.TOKEN_REVOKED)


def _mistaken(user: Any, subject: str | None) -> TokenAuthError | None:
    """Return the refusal of a token that names another user than its session."""
    is_named = subject is None or read_key(get_user_model()._meta.pk, subject) == user.pk
    return None if is_named else TokenAuthError(CloseReason.TOKEN_INVALID, detail=OTHER_USER)
