"""Tell a session whose key was cycled from one that ended, by the signals of the engine's table.

`cycle_key` creates a row with the session's data, and deletes the old one right after, in the same
thread. `flush` deletes only; and a login creates a row in which nobody is logged in yet.
"""

import threading
import time
from typing import Any

from ....core.credentials import Secret
from .engines import Session
from .users import session_user_pk

__all__ = ["note_saved", "successor_of", "take_successor"]

SOON = 1.0
"""Seconds between both, at most."""

REMEMBERED = 60.0
"""Seconds for which a thread remembers the session that it renewed."""


class _Last(threading.local):
    """The last act of this thread: the row it created, and the session it renewed."""

    created_for: Any = None
    created_at = 0.0
    token_id = ""
    replaced = ""
    renewed: tuple[str, str, float] | None = None


_last = _Last()


def note_saved(session_key: str, session: Session, *, created: bool) -> None:
    """Note that a row was saved. Any later one takes its place."""
    _last.created_for = session_user_pk(session.data) if created else None
    _last.token_id = Secret(session_key).digest
    _last.created_at = time.monotonic()


def take_successor(session_key: str, session: Session) -> bool:
    """Return whether the row that was deleted just now has a successor: for one row only, but for
    each backend that asks about it.
    """
    if session_key == _last.replaced:
        return True
    user_pk, _last.created_for = _last.created_for, None
    now = time.monotonic()
    if user_pk is None or user_pk != session_user_pk(session.data) or now - _last.created_at > SOON:
        return False
    _last.replaced = session_key
    _last.renewed = (str(user_pk), _last.token_id, now)
    return True


def successor_of(user_key: str) -> str | None:
    """Return the `token_id` of the session that this thread has just renewed for the user."""
    if _last.renewed is None:
        return None
    key, token_id, at = _last.renewed
    return token_id if key == user_key and time.monotonic() - at < REMEMBERED else None
