"""Distinguish sessions with a new key from ended ones, by the signals of the engine's table.

`cycle_key` creates a row with the session's data, and deletes the old one right after, in the same
request. `flush` deletes only; and a login creates a row in which nobody is logged in yet.
"""

import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

from ....core.credentials import Secret
from ....django_internals import asgi_request
from .engines import Session
from .users import session_user_pk

__all__ = ["Renewals", "note_saved", "renewals", "take_successor"]

SOON = 1.0
"""Most seconds between the creation and the deletion."""

MAX_CREATED = 8
"""Most created rows that are stored: a request creates one or two."""


class Renewals:
    """The sessions that one request has created, or one thread where there is no ASGI request.

    Any thread may read it, since the code of a request may run in several threads.
    """

    def __init__(self) -> None:
        self.created_for: Any = None
        self.created_at = 0.0
        self.replaced = ""
        self._created: dict[str, float] = {}
        self._renewed: dict[str, tuple[str, float]] = {}

    def note(self, token_id: str, user_pk: Any, *, created: bool) -> None:
        """Store that a session's row was saved. A later one of the same user replaces it."""
        now = time.monotonic()
        # A cycled row is created with its user; that of a login gets the user later (see above).
        self.created_for, self.created_at = user_pk if created else None, now
        if created:
            self._created = dict([*self._created.items(), (token_id, now)][-MAX_CREATED:])
        # A login creates a row first, and saves the user in it afterwards.
        if user_pk is not None and token_id in self._created:
            newest = [*self._renewed.items(), (str(user_pk), (token_id, self._created[token_id]))]
            self._renewed = dict(newest[-MAX_CREATED:])

    def successor_of(self, user_key: str, *, since: float) -> str | None:
        """Return the `token_id` of the user's newest session that was created after `since`.

        `since`: on the monotonic clock.
        """
        token_id, created_at = self._renewed.get(user_key, (None, 0.0))
        return token_id if created_at >= since else None


class _OfThread(threading.local):
    """The renewals of a thread."""

    def __init__(self) -> None:
        self.renewals = Renewals()


_of_thread = _OfThread()
# Weak, so that an entry ends with its request.
_of_request: WeakKeyDictionary[Any, Renewals] = WeakKeyDictionary()


def renewals() -> Renewals:
    """Return the renewals of the current request, or of this thread."""
    request = asgi_request()
    if request is None:
        return _of_thread.renewals
    return _of_request.setdefault(request, Renewals())


def note_saved(session_key: str, session: Session, *, created: bool) -> None:
    """Store that a row was saved."""
    renewals().note(Secret(session_key).digest, session_user_pk(session.data), created=created)


def take_successor(session_key: str, session: Session) -> bool:
    """Return whether the row that was just deleted has a successor. A successor counts for one row,
    but for all backends that call this.
    """
    last = renewals()
    if session_key == last.replaced:
        return True
    # The created row replaces this one only: a second deletion in the request is a logout.
    user_pk, last.created_for = last.created_for, None
    if (
        user_pk is None
        or user_pk != session_user_pk(session.data)
        or time.monotonic() - last.created_at > SOON
    ):
        return False
    last.replaced = session_key
    return True
