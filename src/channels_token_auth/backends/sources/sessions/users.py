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

from ....core.errors import Detail, TokenAuthError
from ..site_functions import ask_site, failed

__all__ = ["NO_USER", "has_password_of", "session_user", "session_user_pk"]

NO_USER = Detail(
    slug="unknown_user",
    remedy="The session is there, and no user of this site is logged in with it: the user was"
    " deleted, or AUTHENTICATION_BACKENDS has changed.",
)


def session_user_pk(data: Mapping[str, Any]) -> Any:
    """Return the user's key; None without a login, or if the key is of another user model."""
    try:
        key = get_user_model()._meta.pk.to_python(data.get(SESSION_KEY))
    except ValidationError:
        return None
    return tuple(key) if isinstance(key, list) else key  # of a composite primary key


def session_user(data: Mapping[str, Any], users: Mapping[Any, Any]) -> Any:
    """Return the user as the session's authentication backend does, and inactive users too.

    None: it knows none. A TokenAuthError: its own `get_user` refused the user, or failed.
    """
    path: Any = data.get(BACKEND_SESSION_KEY)
    # As Django's `get_user`: a session of a backend that was removed is no login any more.
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend: Any = load_backend(path)
    plain = import_string("django.contrib.auth.backends.ModelBackend")  # needs the app registry
    # A `get_user` of the site may refuse users that have a row: ask it.
    if type(backend).get_user is not plain.get_user:
        return _checked(path, ask_site(backend.get_user, session_user_pk(data), name=path))
    user = users.get(session_user_pk(data))
    may_pass = user is None or not user.is_active or backend.user_can_authenticate(user)
    return user if may_pass else None


def _checked(path: str, user: Any) -> Any:
    """Return what a `get_user` of the site returned; "unavailable" if that is no user."""
    if user is None or isinstance(user, TokenAuthError) or hasattr(user, "is_active"):
        return user
    mistake = f"get_user() returned a {type(user).__name__}, which is no user."
    return failed(path, TypeError(mistake))


def has_password_of(user: Any, data: Mapping[str, Any]) -> bool:
    """Return True if it was created with the user's current password and a valid secret key."""
    # A user model need not inherit it; then Django does not compare a hash either.
    if not hasattr(user, "get_session_auth_hash"):
        return True
    known = data.get(HASH_SESSION_KEY) or ""
    hashes = chain([user.get_session_auth_hash()], user.get_session_auth_fallback_hash())
    return any(constant_time_compare(known, each) for each in hashes)
