"""The users of tokens that cannot be asked about again, since nobody keeps them."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.auth import get_user_model

from ...core.close_codes import Code
from ...core.errors import TokenAuthError
from ...core.identity import Held, Verdict
from .lookup import Lookup
from .users import admit

__all__ = ["Owners"]


class Owners:
    """Users of the site's user model, by primary key."""

    def __init__(self) -> None:
        self._users = Lookup(_all_users, "pk")

    def find(self, keys: Collection[Any]) -> dict[Any, Any]:
        """Those that are there, in one query."""
        return {user.pk: user for user in self._users.find(keys)}

    def recheck(self, held: Sequence[Held]) -> Sequence[Verdict]:
        """Whether each one's user may stay, in one query; "token_revoked" where he is gone."""
        users = self.find({each.user_pk for each in held})
        return [_standing(users.get(each.user_pk), each) for each in held]


def _all_users() -> Any:
    return get_user_model()._default_manager.all()  # noqa: SLF001 - documented so


def _standing(user: Any, held: Held) -> Verdict:
    if user is None:
        return TokenAuthError(Code.TOKEN_REVOKED)
    return admit(user, held.authentication)
