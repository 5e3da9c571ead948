"""Announce the end of django-allauth's sessions, by signals of Django and of their tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save

from ...core.credentials import Secret
from ..contract import RevocationSignal, RevokedTokens
from ..sources.sessions.cycles import note_saved, take_successor
from ..sources.sessions.engines import session_model, session_of
from ..sources.sessions.users import session_user_pk
from .logins import has_lists, list_model

__all__ = ["announcements"]


def announcements() -> Sequence[RevocationSignal]:
    """Return the signals of sessions that end, if sessions are listed or have a table."""
    found = [RevocationSignal(signal=user_logged_out, sender=None, tokens=_logged_out)]
    if has_lists():
        found.append(RevocationSignal(signal=post_delete, sender=list_model(), tokens=_unlisted))
    rows = session_model()
    if rows is not None:
        found.append(RevocationSignal(signal=post_delete, sender=rows, tokens=_deleted))
        found.append(RevocationSignal(signal=post_save, sender=rows, tokens=_saved))
    return found


def _logged_out(request: Any = None, user: Any = None, **_: Any) -> Iterable[RevokedTokens]:
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key and user is not None:
        # Without lists, their backend relies on the denylist (`Revocations.NOWHERE`).
        yield RevokedTokens(user_pk=user.pk, token_id=Secret(key).digest, is_denied=not has_lists())


def _unlisted(instance: Any, **_: Any) -> Iterable[RevokedTokens]:
    yield RevokedTokens(user_pk=instance.user_id, token_id=Secret(instance.session_key).digest)


def _deleted(instance: Any, **_: Any) -> Iterable[RevokedTokens]:
    # allauth announces deleted sessions by itself, but no sessions that get a new key.
    session, key = session_of(instance), instance.session_key
    if take_successor(key, session):
        user_pk = session_user_pk(session.data)
        yield RevokedTokens(user_pk=user_pk, token_id=Secret(key).digest, is_replaced=True)


def _saved(instance: Any, created: bool, **_: Any) -> Sequence[RevokedTokens]:
    note_saved(instance.session_key, session_of(instance), created=created)
    return []
