"""Admit the user of a token, and convert instances and keys of users."""

import copy
from collections.abc import Hashable, Iterable
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.functional import LazyObject

from ....core.authentication import Authentication
from ....core.identity import FOREIGN, Identity, UserInactiveError, UserKey, Verdict, model_kind

__all__ = [
    "admit",
    "concrete",
    "local_user_key",
    "named_user",
    "primary_key",
    "row_key",
]


def admit(user: Any, authentication: Authentication, handle: Any = None) -> Verdict:
    """Return the verdict on a valid token: an active user's identity, else "user_inactive".

    `user`: an instance; a lazy one is loaded here, where queries may be made. `handle`: as in
    `Identity`, if the token cannot be found again by its id.
    """
    user = concrete(user)
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
    try:
        return get_user_model()._meta.pk.to_python(user)
    except ValidationError:
        return user


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
    several users: as a key, a queryset or a list would name nobody.
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
    found = primary_key(key)
    # A key that cannot be converted belongs to users of other services: query no rows with it.
    return UserKey(kind=None if _is_possible(found) else FOREIGN, key=str(found))


def _is_no_key(key: Any) -> bool:
    # A composite primary key is a tuple.
    is_several = isinstance(key, Iterable) and not isinstance(key, str | tuple)
    return is_several or isinstance(key, type | property)


def _is_possible(key: Any) -> bool:
    try:
        get_user_model()._meta.pk.to_python(key)
    except ValidationError:
        return False
    return True


def row_key(user: Any) -> Any:
    """Return the primary key of a named user as a backend's rows have it."""
    if isinstance(user, UserKey):
        return primary_key(user.key)
    user = concrete(user)
    return primary_key(getattr(user, "pk", user))
