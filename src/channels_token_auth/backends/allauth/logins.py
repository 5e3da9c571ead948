"""Find logins by their sessions, in the lists of `allauth.usersessions` where it is installed.

With lists, a session is accepted only if it is in its user's list. So it can be found by its user
later, to revalidate or end it. Without lists, a session is found by its key alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from ...core.credentials import Secret
from ...core.identity import Grant
from ..sources.lookup import Lookup, read
from ..sources.moments import aware, for_column
from ..sources.owned_rows import asked_for, for_write
from ..sources.sessions.engines import Session, Sessions
from ..sources.sessions.users import session_user, session_user_pk
from ..sources.users_by_key import UsersByKey

__all__ = ["Login", "Logins", "has_lists", "list_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A session that exists. `user`: None if no user is logged in with it."""

    session: Session
    user: Any
    began_at: datetime | None


class Logins:
    """The logins of `SESSION_ENGINE` and of the users' lists."""

    def __init__(self) -> None:
        self._sessions = Sessions()
        self._users_by_key = UsersByKey()
        self._rows = Lookup(
            lambda: list_model().objects, "session_key", lambda rows: rows.select_related("user")
        )

    def find(self, keys: Collection[str]) -> dict[str, Login]:
        """Return the logins that exist, by their keys: two queries."""
        if has_lists():
            return self._listed(self._rows.find(keys))
        sessions = self._sessions.find(keys)
        # A session without a login has no user: None is no key, and would cost a query.
        pks = {session_user_pk(session.data) for session in sessions.values()} - {None}
        users = self._users_by_key.find(pks)
        return {
            key: Login(session=each, user=session_user(each.data, users), began_at=None)
            for key, each in sessions.items()
        }

    def find_logins(self, grants: Sequence[Grant]) -> list[Login | None]:
        """Return the login of each grant, from the lists, with two queries."""
        rows = _rows_of(grants)
        logins = self._listed(rows.values())
        # Sockets know the digest of their session's key only, so that no socket holds a key that
        # opens the site. The user's list has the keys.
        keys = {name: row.session_key for name, row in rows.items()}
        return [logins.get(keys.get(_name(each), "")) for each in grants]

    def revoke(self, grants: Sequence[Grant]) -> None:
        """End the sessions that are listed, as the page of allauth does. If a user is not known,
        read the lists of all users.
        """
        rows = for_write(list_model().objects)
        _end_rows(rows.filter(pk__in=asked_for(rows, "session_key", grants)))

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> None:
        """End the sessions in the user's list, except one, and except those that began later."""
        rows = for_write(list_model().objects).filter(user=user_pk)
        if issued_before is not None:
            rows = rows.filter(created_at__lte=for_column(issued_before))
        # By digest, in Python: no database computes SHA-256 in every engine that Django supports.
        _end_rows([row for row in rows if Secret(row.session_key).digest != except_token_id])

    def _listed(self, rows: Collection[Any]) -> dict[str, Login]:
        by_key = {row.session_key: row for row in rows}
        return {
            key: Login(
                session=session,
                user=session_user(session.data, {by_key[key].user_id: by_key[key].user}),
                began_at=aware(by_key[key].created_at),
            )
            for key, session in self._sessions.find(by_key).items()
        }


def has_lists() -> bool:
    """Return True if users have lists of their sessions."""
    return apps.is_installed("allauth.usersessions")


def list_model() -> Any:
    """Return the model of the rows in such a list."""
    return apps.get_model("usersessions.UserSession")


def _all_rows() -> Any:
    return list_model().objects.select_related("user")


def _rows_of(grants: Sequence[Grant]) -> dict[tuple[Any, str], Any]:
    names = {_name(each) for each in grants}
    # All sessions of these users in one query: a user has few, and each grant one.
    rows = _all_rows().filter(user__in={user_pk for user_pk, _ in names})
    found = read(rows, _by_name, names)
    return {name: row for name, row in found.items() if name in names}


def _by_name(rows: Iterable[Any]) -> dict[tuple[Any, str], Any]:
    return {(row.user_id, Secret(row.session_key).digest): row for row in rows}


def _name(grant: Grant) -> tuple[Any, str]:
    return grant.user_pk, grant.authentication.token_id


def _end_rows(rows: Iterable[Any]) -> None:
    import_string("allauth.usersessions.adapter.get_adapter")().end_sessions(list(rows))
