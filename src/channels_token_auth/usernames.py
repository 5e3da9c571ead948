"""Translate between user names and primary keys: sockets have only the keys."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, cast

from django.contrib.auth import get_user_model

from .backends.sources.keys import converted, is_storable
from .cluster.connections import LiveConnection
from .core.identity import UserKey, model_kind, without_tenant
from .tenants.site import here

__all__ = ["display_name", "find_user", "is_site_user", "names_of", "user_of", "usernames"]


def find_user(text: str) -> Any:
    """Return the user with this name, or else with this primary key; None if there is none.

    Raises ValueError if the text is the name of one user and the key of another.
    """
    if not is_storable(text):
        return None
    model = get_user_model()
    users = model._default_manager  # noqa: SLF001 - documented so
    named = users.filter(**{model.USERNAME_FIELD: text}).first()
    pk = _primary_key(text)
    keyed = None if pk is None else users.filter(pk=pk).first()
    if named and keyed and named != keyed:
        # No guess: to revoke the tokens of the wrong user cannot be undone.
        raise ValueError(f"{text!r} is the name of one user and the id of another.")
    return named or keyed


def usernames(user_ids: Collection[str | None]) -> dict[str, str]:
    """Return the names of the users with a row here, by primary key as text. One query."""
    model = get_user_model()
    keys = [key for key in map(_primary_key, filter(None, user_ids)) if key is not None]
    users = model._default_manager.filter(pk__in=keys) if keys else ()  # noqa: SLF001 - see above
    return {str(user.pk): user.get_username() for user in users}


def is_site_user(kind: str | None) -> bool:
    """Return whether users of this kind have a row in the site's user model.

    If the site has tenants: in that of the caller's tenant. Each tenant has its own user 1.
    """
    if kind is None:
        return True
    base, tenant = without_tenant(kind)
    is_local = base == model_kind(cast("Hashable", get_user_model()))
    return is_local and tenant in (None, here())


def user_of(connection: LiveConnection) -> UserKey | None:
    """Return the user of a socket, None for an anonymous one."""
    if connection.user_id is None:
        return None
    return UserKey(kind=connection.user_kind, key=connection.user_id)


def names_of(found: Iterable[LiveConnection]) -> dict[str, str]:
    """Return the names of the sockets' users who have a row here. One query."""
    return usernames({each.user_id for each in found if is_site_user(each.user_kind)})


def display_name(connection: LiveConnection, names: Mapping[str, str]) -> str | None:
    """Return the name of a socket's user; the key of one without a row; None if anonymous."""
    user_id = connection.user_id
    name = names.get(user_id or "") if is_site_user(connection.user_kind) else None
    return name or user_id


def _primary_key(text: str) -> Any:
    """Return the text as a primary key; None if it cannot be one of this site's users."""
    # `int` ignores a line break next to the digits. It is no part of a key.
    return converted(get_user_model()._meta.pk, text) if text.isprintable() else None
