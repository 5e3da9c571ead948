"""Find the user of a session as `django.contrib.auth.get_user` does, but without its writes.

Django deletes a session that was created with another password, and renews one that was created
under a former `SECRET_KEY`. This module does neither.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

__all__ = ["has_password_of", "session_user", "session_user_pk"]


def session_user_pk(data: Mapping[str, Any]) -> Any:
    """Return the user's key; None if nobody is logged in, or the key is of another user model."""
    try:
        return get_user_model()._meta.pk.to_python(data.get(SESSION_KEY))
    except ValidationError:
        return None


def session_user(data: Mapping[str, Any], users: Mapping[Any, Any]) -> Any:
    """Return the user as the session's authentication backend does, and inactive users too."""
    path: Any = data.get(BACKEND_SESSION_KEY)
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend: Any = load_backend(path)
    plain = import_string("django.contrib.auth.backends.ModelBackend")  # needs the app registry
    if type(backend).get_user is not plain.get_user:
        return backend.get_user(session_user_pk(data))
    user = users.get(session_user_pk(data))
    may_pass = user is None or not user.is_active or backend.user_can_authenticate(user)
    return user if may_pass else None


def has_password_of(user: Any, data: Mapping[str, Any]) -> bool:
    """Return True if it was created with the user's current password and a valid secret key."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    known = data.get(HASH_SESSION_KEY) or ""
    hashes = chain([user.get_session_auth_hash()], user.get_session_auth_fallback_hash())
    return any(constant_time_compare(known, each) for each in hashes)
