"""The users that claims name: by a field of theirs, or by a function of the site's."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.utils.module_loading import import_string

from .keys import read_key
from .lookup import Lookup
from .managers import package_users

__all__ = ["ClaimedUsers"]

Claims = Mapping[str, Any]


class ClaimedUsers:
    """Finds the user whose `field` is `claim`; or the one whom `function`, a dotted path, returns.

    `field`: None is the one users log in with.
    """

    def __init__(self, *, claim: str, field: str | None, function: str | None) -> None:
        self._claim = claim
        self._field_name = field
        self._function = function

    def find(self, claims: Sequence[Claims]) -> list[Any]:
        """The user of each, or None: one query, or a call of the function each."""
        if self._function is not None:
            return [_call(import_string(self._function), each) for each in claims]
        values = [read_key(self._field, each.get(self._claim)) for each in claims]
        users: dict[Any, Any] = {}
        for user in self._lookup.find({value for value in values if value is not None}):
            value = self._field.value_from_object(user)
            # Of two users nobody knows which one is meant.
            users[value] = None if value in users else user
        return [users.get(value) for value in values]

    def check(self, number: str) -> Iterator[checks.CheckMessage]:
        """The function must be there, or the field; and no two users may share its value."""
        try:
            unique = import_string(self._function) if self._function else self._field.unique
        except (FieldDoesNotExist, ImportError) as error:
            yield checks.Error(
                f"The user of a token cannot be found: {error}",
                hint="Correct the option 'user', a dotted path, or 'user_field'.",
                id=f"channels_token_auth.E{number}",
            )
        else:
            if not unique:
                yield checks.Error(
                    f"The user field {self._field.name!r} is not unique: two users may share it.",
                    hint="Name a unique field in 'user_field', or a function in 'user'.",
                    id=f"channels_token_auth.E{number}",
                )

    @cached_property
    def _field(self) -> Any:
        model: Any = get_user_model()
        name = self._field_name or model.USERNAME_FIELD
        return model._meta.pk if name == "pk" else model._meta.get_field(name)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(package_users, self._field.name)


def _call(function: Any, claims: Claims) -> Any:
    try:
        return function(claims)
    except ObjectDoesNotExist:
        return None
