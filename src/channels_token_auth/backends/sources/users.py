"""Admit the user of a token, and copy users so that no two sockets share one."""

import copy
from collections.abc import Hashable
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.functional import LazyObject

from ...core.authentication import Authentication
from ...core.identity import Identity, UserInactiveError, UserKey, Verdict, model_kind

__all__ = ["admit", "concrete", "local_user_key", "primary_key", "private_copy"]


def admit(user: Any, authentication: Authentication, handle: Any = None) -> Verdict:
    """Return an active user's identity; "user_inactive" for any other. A lazy user is loaded."""
    user = concrete(user)
    identity = Identity(user=user, authentication=authentication, handle=handle)
    return identity if user.is_active else UserInactiveError(identity)


def concrete(user: Any) -> Any:
    """Return the user behind a lazy object, loaded here, where queries may be made."""
    if isinstance(user, LazyObject):
        bool(user)
        return copy.copy(user)  # of a loaded one, a copy of what it wraps
    return user


def primary_key(user: Any) -> Any:
    """That of an instance; of what is a key itself, as the user model has it, or as it is given
    where it is of another service's user, who has no row.
    """
    if isinstance(user, Model):
        return user.pk
    try:
        return get_user_model()._meta.pk.to_python(user)
    except ValidationError:
        return user


def local_user_key(user: Any) -> UserKey:
    """Return the kind and key of an instance; or of a key, as one of the site's user model."""
    model = type(user) if isinstance(user, Model) else get_user_model()
    return UserKey(kind=str(model_kind(cast("Hashable", model))), key=str(primary_key(user)))


def private_copy(user: Any) -> Any:
    """The user as an object of its own: what one socket sets, no other sees."""
    if not isinstance(user, Model):
        # `copy.copy` asks the new object for attributes before it has any, and some look into what
        # is not there yet.
        return _bare(user) if hasattr(user, "__dict__") else copy.copy(user)
    # What `copy.copy` does of a model, in a seventh of its time: each handshake pays it.
    fresh, state = _bare(user), _bare(user._state)
    fresh._state = state
    state.fields_cache = user._state.fields_cache.copy()
    return fresh


def _bare(original: Any) -> Any:
    fresh = object.__new__(type(original))
    # A copy of a dict shares its keys, and takes a third of the time of filling another one.
    fresh.__dict__ = values = vars(original).copy()
    # Most users have no dict or list (a JSONField's, say) in them: one look at the types tells.
    if not _CONTAINERS.isdisjoint(map(type, values.values())):
        values.update({name: copy.deepcopy(each) for name, each in values.items()
                       if type(each) in _CONTAINERS})  # fmt: skip
    return fresh


_CONTAINERS = frozenset({bytearray, dict, list, set})
