"""Find the backends and the models of a user, and the models whose signals report changes."""

from collections.abc import Hashable, Sequence
from typing import Any, cast

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.signals import post_save, pre_save

from ..backends.contract import Revocations, RevocationSignal, TokenBackend
from ..core.identity import (
    FOREIGN,
    SITE_USERS,
    UserKey,
    is_foreign,
    is_of_kind,
    model_kind,
    without_tenant,
)

__all__ = ["backends_of", "kind_of_users", "senders", "user_models", "with_proxies", "without_rows"]


def kind_of_users(backend: TokenBackend) -> str | None:
    """Return the kind of a backend's users, as in `UserKey.kind`; None if it has several kinds."""
    if backend.user_kind == SITE_USERS:
        return model_kind(cast("Hashable", get_user_model()))
    return backend.user_kind


def backends_of(
    user: UserKey, backends: Sequence[TokenBackend], *, own: str | None = None
) -> list[TokenBackend]:
    """Return the backends that may have tokens of this user; or users, if the kind is not known.

    `own`: the name of a backend that has verified a token of the user.
    """
    kind, _ = without_tenant(user.kind)  # backends have one kind of users for all tenants
    return [each for each in backends if each.name == own or _may_have(each, kind)]


def without_rows(backends: Sequence[TokenBackend]) -> list[str]:
    """Return the names of the backends whose tokens the denylist has to revoke."""
    return [each.name for each in backends if each.revocations is not Revocations.ROWS]


def user_models() -> list[type[Model]]:
    """Return the user model, and those that share its rows by multi-table inheritance.

    A user may be saved by any of them, and Django sends `post_save` with that one as the sender.
    """
    own: Any = get_user_model()._meta.concrete_model
    related = [
        each for each in _concrete_models() if issubclass(each, own) or issubclass(own, each)
    ]
    # A base of the user model without the attribute can neither deactivate a user nor has a
    # password.
    return [each for each in related if hasattr(each, "is_active")]


def senders(announcement: RevocationSignal) -> list[Any]:
    """Return the senders of a signal: for saves also the models that extend the sender's.

    With multi-table inheritance, Django sends `post_save` for the child only, and `post_delete` for
    both. It sends none for an abstract model, which stands for those that extend it.
    """
    sender = announcement.sender
    if not _is_model(sender):
        return [sender]
    is_save = announcement.signal in (pre_save, post_save)
    if not is_save and not sender._meta.abstract:
        return [sender]
    own = sender._meta.concrete_model
    return [each for each in _concrete_models() if issubclass(each, own)]


def with_proxies(sender: Any) -> list[Any]:
    """Return a signal's sender; of a model also the proxies.

    Django sends the signals with the proxy as the sender, if rows are deleted by it: in an admin.
    """
    if not _is_model(sender):
        return [sender]
    concrete = sender._meta.concrete_model
    return [each for each in apps.get_models() if each._meta.concrete_model is concrete]


def _is_model(sender: Any) -> bool:
    return isinstance(sender, type) and issubclass(sender, Model)


def _concrete_models() -> list[type[Model]]:
    return [each for each in apps.get_models() if each._meta.concrete_model is each]


def _may_have(backend: TokenBackend, wanted: str | None) -> bool:
    # A user of unknown kind (None) may be at any backend, and so may users at a backend of several
    # kinds. FOREIGN is the kind of all users of other services together.
    kind = kind_of_users(backend)
    return kind is None or is_of_kind(kind, wanted) or (kind == FOREIGN and is_foreign(wanted))
