"""Tokens and their users as columns of one query: no object is made of a token."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models.query_utils import DeferredAttribute

from ...core.identity import Grant

__all__ = ["UserColumns"]


class UserColumns:
    """Those of the model that the field `user` of `model()` refers to."""

    def __init__(self, model: Callable[[], Any]) -> None:
        self._tokens = model

    def spawn(self, *names: str) -> Any:
        """Return a query of these columns of all tokens, followed by those of their users."""
        return self.select(self._tokens().objects.all(), *names)

    def select(self, rows: Any, *names: str) -> Any:
        """Narrow a query of tokens to these columns, followed by those of their users."""
        return rows.values_list(*names, *(f"user__{name}" for name in self._names))

    def user(self, columns: Sequence[Any]) -> Any:
        """The user of a row: what is after the token's own columns."""
        return self._model.from_db(self._tokens().objects.db, self._names, columns)

    def needed_for(self, grants: Sequence[Grant]) -> "UserColumns":
        """Itself, or fewer columns that are enough: see `Grant.needs_user`."""
        return self if any(each.needs_user for each in grants) else self._users_by_key

    @cached_property
    def _users_by_key(self) -> "UserColumns":
        return _OwnerColumns(self._tokens)

    @cached_property
    def _model(self) -> Any:
        return self._tokens()._meta.get_field("user").related_model

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._model._meta.concrete_fields]


class _OwnerColumns(UserColumns):
    """The same, but only of what tells whether the user may stay: two columns, and no object.

    Where `is_active` is no column, but made of others, it is the same.
    """

    def user(self, columns: Sequence[Any]) -> Any:
        return _Owner(*columns) if self._is_column else super().user(columns)

    @cached_property
    def _is_column(self) -> bool:
        return isinstance(getattr(self._model, "is_active", None), DeferredAttribute)

    @cached_property
    def _names(self) -> list[str]:
        return [self._model._meta.pk.attname, "is_active"] if self._is_column else super()._names


class _Owner(NamedTuple):
    pk: Any
    is_active: bool
