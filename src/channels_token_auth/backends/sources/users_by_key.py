"""Revalidate tokens of which only the user is known, because their sockets keep no token."""

from collections.abc import Collection, Sequence
from typing import Any

from ...core.close_codes import CloseReason
from ...core.errors import TokenAuthError
from ...core.identity import Grant, Verdict
from .lookup import Lookup, Manager
from .managers import default_users
from .users import admit

__all__ = ["UsersByKey"]


class UsersByKey:
    """Find users of the site's user model by primary key. `manager`: see `managers`."""

    def __init__(self, manager: Manager = default_users) -> None:
        self._users = Lookup(manager, "pk")

    def find(self, keys: Collection[Any]) -> dict[Any, Any]:
        """Return the users that exist, in one query."""
        return {user.pk: user for user in self._users.find(keys)}

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Return a verdict on each user, with one query; "token_revoked" for a deleted user."""
        users = self.find({each.user_pk for each in grants})
        return [_standing(users.get(each.user_pk), each) for each in grants]


def _standing(user: Any, grant: Grant) -> Verdict:
    if user is None:
        return TokenAuthError(CloseReason.TOKEN_REVOKED)
    return admit(user, grant.authentication)
