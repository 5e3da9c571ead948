"""Tokens and their users as columns of one query: no object is made of a token."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

__all__ = ["UserColumns"]


class UserColumns:
    """Those of the model that the field `user` of `model()` refers to."""

    def __init__(self, model: Callable[[], Any]) -> None:
        self._tokens = model

    def beside(self, *names: str) -> Any:
        """A query of these columns of all tokens, and of all columns of their users after them."""
        users = [f"user__{name}" for name in self._names]
        return self._tokens().objects.values_list(*names, *users)

    def user(self, columns: Sequence[Any]) -> Any:
        """The user of a row: what is after the token's own columns."""
        return self._model.from_db(self._tokens().objects.db, self._names, columns)

    @cached_property
    def _model(self) -> Any:
        return self._tokens()._meta.get_field("user").related_model

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._model._meta.concrete_fields]
