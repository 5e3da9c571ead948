"""Verify Django's sessions by their cookie, with any engine: the key is the credential."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core import checks
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Verdict
from .base import BaseTokenBackend
from .contract import Authority, Revocations, RevocationSignal, RevokedTokens, TokenBackend
from .site import Site
from .sources.moments import has_passed
from .sources.owned_rows import for_write
from .sources.revalidation import revalidate_presented
from .sources.sessions.cycles import note_saved, take_successor
from .sources.sessions.engines import (
    SHORTEST_KEY,
    Session,
    Sessions,
    can_forget,
    engine,
    is_in_database,
    session_model,
    session_of,
)
from .sources.sessions.users import NO_USER, has_password_of, session_user, session_user_pk
from .sources.users import admit
from .sources.users_by_key import UsersByKey

__all__ = ["SessionBackend", "session_backend"]

MOST_SESSIONS = 10_000
"""Sessions that `revoke_user` reads at most, newest first: about half a second."""

logger = logging.getLogger("channels_token_auth")


class SessionBackend(BaseTokenBackend):
    """Accepts the cookie of a session with a logged-in user, as Django's `get_user` does.

    `token_id` is the digest of the session's key. No engine can find a session by it, so the socket
    keeps the key; the entry of a ticket contains it encrypted.
    """

    schemes = frozenset[str]()
    revocations = Revocations.STORE
    follows_session = True
    authority = Authority.SESSION

    def __init__(self, *, name: str = "session") -> None:
        super().__init__(name=name)
        self.is_local = is_in_database()
        self._sessions = Sessions()
        self._users_by_key = UsersByKey()

    def recognizes(self, credential: Credential) -> bool:
        """Return True for any cookie that is long enough for a key."""
        is_cookie = credential.location is Location.COOKIE
        return is_cookie and len(credential.secret.reveal()) >= SHORTEST_KEY

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch with two queries, the second one for the users. Sessions in files, in
        cookies or in a third-party engine are loaded one by one, and so are the users of an
        authentication backend with its own `get_user`.
        """
        sessions = self._sessions.find({credential.secret.reveal() for credential in credentials})
        keys = {session_user_pk(session.data) for session in sessions.values()}
        users = self._users_by_key.find(keys - {None})
        return [self._verdict(c, sessions.get(c.secret.reveal()), users) for c in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Verify the sessions again, with the queries of `authenticate`."""
        return revalidate_presented(grants, self.authenticate, self._users_by_key)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Delete the user's sessions if the engine has a table.

        No column names a session's user or its start. So the newest `MOST_SESSIONS` are read, and
        all of the user's count as issued before.
        """
        model = session_model()
        if model is None:
            return False
        rows = for_write(model.objects).filter(expire_date__gt=timezone.now())
        # One more than the limit shows whether there are further ones.
        newest = list(rows.order_by("-expire_date")[: MOST_SESSIONS + 1])
        keys = [row.session_key for row in newest[:MOST_SESSIONS] if _is_of(row, user_pk)]
        for key in keys:
            if Secret(key).digest != except_token_id:
                # By the engine, which may have the session in a cache too.
                engine()(key).delete()
        if len(newest) > MOST_SESSIONS:
            logger.warning(
                "revoke_user() looked at the newest %d sessions only: older ones of the user stay"
                " logged in over HTTP. Change the password to end them all.",
                MOST_SESSIONS,
            )
        return len(newest) <= MOST_SESSIONS

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce logouts; if the engine has a table, deleted rows, whether a new key replaces
        them or not; else logins that replace a browser's session.
        """
        logout = RevocationSignal(signal=user_logged_out, sender=None, tokens=_logged_out)
        model = None
        with suppress(RuntimeError):  # its app is not installed, so there are no sessions
            model = session_model()
        if model is None:
            login = RevocationSignal(signal=user_logged_in, sender=None, tokens=_logged_in)
            return [logout, login]
        return [
            logout,
            RevocationSignal(signal=post_delete, sender=model, tokens=_deleted),
            RevocationSignal(signal=post_save, sender=model, tokens=_saved),
        ]

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """Report settings by which no session's cookie is read, and an engine that is missing."""
        return [*_check_cookie(site), *_check_engine()]

    def _verdict(
        self, credential: Credential, session: Session | None, users: Mapping[Any, Any]
    ) -> Verdict:
        if session is None or SESSION_KEY not in session.data:
            return None
        if has_passed(session.expires_at):
            return TokenAuthError(CloseReason.TOKEN_EXPIRED)
        user = session_user(session.data, users)
        if user is None:
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=NO_USER)
        if isinstance(user, TokenAuthError):
            return user
        if not has_password_of(user, session.data):
            return TokenAuthError(CloseReason.TOKEN_REVOKED)
        authentication = Authentication(
            backend=self.name,
            token_id=credential.secret.digest,
            location=credential.location,
            expires_at=session.expires_at,
        )
        return admit(user, authentication, handle=credential)


def _deleted(instance: Any, **_: Any) -> Iterator[RevokedTokens]:
    # Ignore expired sessions: their sockets are closed, and `clearsessions` deletes thousands.
    session = session_of(instance)
    if not has_passed(session.expires_at) and SESSION_KEY in session.data:
        yield RevokedTokens(
            user_pk=session_user_pk(session.data),
            token_id=Secret(instance.session_key).digest,
            is_denied=True,
            is_replaced=take_successor(instance.session_key, session),
        )


def _saved(instance: Any, created: bool, **_: Any) -> Sequence[RevokedTokens]:
    note_saved(instance.session_key, session_of(instance), created=created)
    return []


def _is_of(row: Any, user_pk: Any) -> bool:
    data = session_of(row).data
    return SESSION_KEY in data and session_user_pk(data) == user_pk


def _logged_out(request: Any = None, **_: Any) -> Sequence[RevokedTokens]:
    session = getattr(request, "session", None)
    if session is None or not session.session_key or SESSION_KEY not in session:
        return []
    token_id = Secret(session.session_key).digest
    return [RevokedTokens(user_pk=session_user_pk(session), token_id=token_id, is_denied=True)]


def _logged_in(request: Any = None, **_: Any) -> Iterator[RevokedTokens]:
    """Announce the session that the browser had before: Django has flushed it, or its key."""
    before = getattr(request, "COOKIES", {}).get(settings.SESSION_COOKIE_NAME, "")
    session = getattr(request, "session", None)
    if session is None or len(before) < SHORTEST_KEY or before == session.session_key:
        return
    # A cookie that contains the session itself is still valid: deny it if it has a user.
    left = {} if can_forget() else Sessions().find({before})
    user_pk = session_user_pk(left[before].data) if before in left else None
    token_id = Secret(before).digest
    yield RevokedTokens(user_pk=user_pk, token_id=token_id, is_denied=user_pk is not None)


def _check_cookie(site: Site) -> Iterator[checks.CheckMessage]:
    # A session opens sockets by a ticket as well, without its cookie in the handshake.
    if not {Location.COOKIE, Location.TICKET} & site.locations:
        yield checks.Error(
            "LOCATIONS has neither 'ticket' nor 'cookie': no client can present a session.",
            hint="Add 'ticket' to LOCATIONS, or take the session backend out of BACKENDS.",
            id="channels_token_auth.E140",
        )
    if Location.COOKIE in site.locations and site.cookie_name != settings.SESSION_COOKIE_NAME:
        yield checks.Error(
            f"COOKIE_NAME is {site.cookie_name!r}, and the session's cookie has another name.",
            hint=f"Set COOKIE_NAME to {settings.SESSION_COOKIE_NAME!r}.",
            id="channels_token_auth.E141",
        )
    if settings.SESSION_COOKIE_SAMESITE not in ("Lax", "Strict"):
        yield checks.Warning(
            "SESSION_COOKIE_SAMESITE lets other sites' handshakes send the session's cookie.",
            hint="Set it to 'Lax' or 'Strict'; otherwise the Origin check is the only protection.",
            id="channels_token_auth.W140",
        )


def _check_engine() -> Iterator[checks.CheckMessage]:
    try:
        session_model()
    except (AttributeError, ImportError, RuntimeError) as error:
        yield checks.Error(
            f"SESSION_ENGINE {settings.SESSION_ENGINE!r} cannot be used: {error}",
            hint="Name an engine that can be imported. Those with a table need"
            " 'django.contrib.sessions' in INSTALLED_APPS.",
            id="channels_token_auth.E142",
        )
    else:
        if not can_forget():
            yield checks.Warning(
                "SESSION_ENGINE stores sessions in cookies only: a copied cookie is valid until it"
                " expires, even after a logout.",
                hint="Use an engine that stores sessions on the server.",
                id="channels_token_auth.W141",
            )


def session_backend(backends: Sequence[TokenBackend]) -> TokenBackend:
    """Return the listed session backend, with its options and scopes; else one with the defaults.

    The HTTP endpoints accept a session even if no route of the site does.
    """
    listed = (each for each in backends if each.authority is Authority.SESSION)
    return next(listed, None) or SessionBackend()
