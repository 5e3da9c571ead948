"""Admit the user of a token, and convert instances and keys of users."""

import copy
from collections.abc import Hashable, Iterable
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.functional import LazyObject

from ....core.authentication import Authentication
from ....core.close_codes import CloseReason
from ....core.errors import Detail, TokenAuthError
from ....core.identity import (
    FOREIGN,
    Identity,
    UserInactiveError,
    UserKey,
    Verdict,
    is_foreign,
    model_kind,
    without_tenant,
)
from ..keys import converted

__all__ = [
    "admit",
    "concrete",
    "key_of",
    "local_user_key",
    "named_user",
    "plain_key",
    "primary_key",
    "row_key",
]

NOBODYS = Detail(
    slug="no_user",
    remedy="The token is there, but its user is not: delete tokens together with their users"
    " (on_delete=CASCADE).",
)


def admit(user: Any, authentication: Authentication, handle: Any = None) -> Verdict:
    """Return the verdict on a valid token: an active user's identity, else "user_inactive".

    `user`: an instance; a lazy one is loaded here, where queries may be made. Without one, such as
    after `on_delete=SET_NULL`, the verdict is "token_invalid". `handle`: as in `Identity`, if the
    token cannot be found again by its id.
    """
    user = concrete(user)
    # A join makes a user without a key of a row without a user. All such users would be one.
    if user is None or (isinstance(user, Model) and user.pk is None):
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=NOBODYS)
    identity = Identity(user=user, authentication=authentication, handle=handle)
    return identity if user.is_active else UserInactiveError(identity)


def concrete(user: Any) -> Any:
    """Return the user behind a lazy object, loaded here, where queries may be made."""
    if isinstance(user, LazyObject):
        # This loads it. The copy of an object that is not loaded would be lazy again.
        bool(user)
        return copy.copy(user)  # if it is loaded, a copy of its object
    return user


def primary_key(user: Any) -> Any:
    """Return the primary key of an instance; or a key, converted to the type of the user model.

    A key that cannot be converted is returned as it is: it belongs to a user of another service,
    who has no row here.
    """
    if isinstance(user, Model):
        return user.pk
    found = _local_key(user)
    return user if found is None else found


def local_user_key(user: Any) -> UserKey:
    """Return the kind and key of an instance; or of a key, as one of the site's user model."""
    user = concrete(user)
    model = type(user) if isinstance(user, Model) else get_user_model()
    return UserKey(kind=str(model_kind(cast("Hashable", model))), key=str(primary_key(user)))


def named_user(user: Any) -> UserKey:
    """Return the users that a caller names: an instance names the one user of its kind.

    A key names the users with this key in every kind: this site's, and those of each service whose
    tokens it accepts. The instance of a user without a row, such as Simple JWT's `TokenUser`, names
    those of other services. Raises TypeError for None and for a user without a key: machine tokens
    have no user, and "the tokens of None" would be those of all machines. Also for a class, and for
    several users: as a key, a queryset or a list would name nobody; and for 1.5 and other objects
    that cannot be a key. Raises ValueError for a text with half of a surrogate pair.
    """
    if isinstance(user, UserKey):
        return user
    user = concrete(user)
    key = getattr(user, "pk", user)
    if key is None or isinstance(key, bool) or key == "":
        raise TypeError(f"The user is {user!r}: name a saved user, or a primary key.")
    if _is_no_key(key):  # no repr: that of a queryset queries the database
        raise TypeError(f"A {type(user).__name__} names no user: name them one by one.")
    if isinstance(user, Model):
        return local_user_key(user)
    if hasattr(user, "pk"):
        return UserKey(kind=FOREIGN, key=str(key))
    found = _local_key(key)
    # A column of texts would take 1.5, and any object.
    if not isinstance(key, str | int | UUID | tuple) and found != key:
        raise TypeError(f"A {type(key).__name__} names no user: name one, or a primary key.")
    if found is not None:
        return UserKey(kind=None, key=str(found))
    text = str(key)
    text.encode()  # a message to other nodes cannot contain half of a surrogate pair
    # A key that cannot be converted belongs to users of other services: query no rows with it.
    return UserKey(kind=FOREIGN, key=text)


def _is_no_key(key: Any) -> bool:
    # A composite primary key is a tuple.
    is_several = isinstance(key, Iterable) and not isinstance(key, str | tuple)
    return is_several or isinstance(key, type | property)


def _local_key(key: Any) -> Any:
    """Return a key in the type of the user model; None if it can only be one of other services."""
    found = converted(get_user_model()._meta.pk, key)
    # Django reads 5 as the UUID of that number, and "007" and 7.5 as 7: another service may have
    # such a user, whose tokens would stay valid. Those of user 7 would be revoked in their place.
    is_another = (isinstance(found, UUID) and isinstance(key, int)) or (
        isinstance(found, int) and key not in (found, str(found))
    )
    return None if is_another else found


def row_key(user: Any) -> Any:
    """Return the primary key of a named user as a backend's rows have it."""
    if isinstance(user, UserKey):
        return key_of(user.kind, user.key) if _model_of(user.kind) else _canonical(user)
    user = concrete(user)
    return user.pk if hasattr(user, "pk") else primary_key(user)


def plain_key(user: Any) -> str | int:
    """Return the primary key of an instance as a value that JSON keeps: see `key_of`."""
    if isinstance(user, Model):
        text: str = user._meta.pk.value_to_string(user)
        return text
    # Another service may have a user 7, and one whose key is the text "7" or "007".
    return user.pk if type(user.pk) in (int, str) else str(user.pk)


def key_of(kind: str | None, plain: str | int) -> Any:
    """Return the primary key of a user of this kind, from what `plain_key` has returned.

    It has the type of that kind's own model. Of a kind without a model, it is the same value: the
    site's user model must not read it, since that may take "007" for user 7.
    """
    model = _model_of(kind)
    if model is None:
        return plain
    try:
        key = model._meta.pk.to_python(plain)
    except (TypeError, ValueError, ValidationError):
        return plain
    return tuple(key) if isinstance(key, list) else key  # of a composite primary key


def _model_of(kind: str | None) -> Any:
    base, _ = without_tenant(kind)
    if base is None or is_foreign(base):
        return None
    try:
        return apps.get_model(base)
    except (LookupError, ValueError):
        return None


def _canonical(user: UserKey) -> Any:
    """Return the key as the site's user model has it, if that writes it in the same way."""
    key = primary_key(user.key)
    return key if user.kind is None or str(key) == user.key else user.key
