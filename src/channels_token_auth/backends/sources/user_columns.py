"""Read tokens and their users as columns of one query, without an object for each token."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from django.db.models.query_utils import DeferredAttribute

from ...core.identity import Grant

__all__ = ["UserColumns", "has_activity_column", "may_change_activity"]


def has_activity_column(model: Any) -> bool:
    """Return True if the users of a model have a column `is_active`."""
    # Django's descriptor of a column. `AbstractBaseUser` has a constant instead, and a model may
    # have a property.
    return isinstance(getattr(model, "is_active", None), DeferredAttribute)


def may_change_activity(model: Any, update_fields: Collection[str] | None) -> bool:
    """Return False if `save` with these fields cannot change `is_active` of a user of the model."""
    if update_fields is None or "is_active" in update_fields or not has_activity_column(model):
        return True
    # A property, as above, or a generated column is computed from other columns.
    return bool(model._meta.get_field("is_active").generated)


class UserColumns:
    """The user columns of the model that the field `user` of `model()` refers to."""

    def __init__(self, model: Callable[[], Any]) -> None:
        self._tokens = model

    def select(self, rows: Any, *names: str) -> Any:
        """Narrow a query of tokens to these columns, followed by those of their users."""
        return rows.values_list(*names, *(f"user__{name}" for name in self._names))

    def reader(self) -> Callable[[Sequence[Any]], Any]:
        """Return `user` for the rows of one query. It asks the database router once for all."""
        # As a queryset does: with its database, so that the user's related objects are found there.
        return partial(self._model.from_db, self._tokens().objects.db, self._names)

    def user(self, columns: Sequence[Any]) -> Any:
        """Return the user of a row, from the columns that follow the token's own."""
        return self.reader()(columns)

    def needed_for(self, grants: Sequence[Grant]) -> "UserColumns":
        """Return these columns, or the two that suffice to revalidate: see `Grant.needs_user`."""
        return self if any(each.needs_user for each in grants) else self._activity

    @cached_property
    def _activity(self) -> "UserColumns":
        return _ActivityColumns(self._tokens)

    @cached_property
    def _model(self) -> Any:
        return self._tokens()._meta.get_field("user").related_model

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._model._meta.concrete_fields]


class _ActivityColumns(UserColumns):
    """Only the primary key and `is_active` of the user, without a model instance.

    All columns if the model computes `is_active` from others.
    """

    def user(self, columns: Sequence[Any]) -> Any:
        return _User(*columns) if self._is_column else super().user(columns)

    @cached_property
    def _is_column(self) -> bool:
        return has_activity_column(self._model)

    @cached_property
    def _names(self) -> list[str]:
        return [self._model._meta.pk.attname, "is_active"] if self._is_column else super()._names


class _User(NamedTuple):
    pk: Any
    is_active: bool
