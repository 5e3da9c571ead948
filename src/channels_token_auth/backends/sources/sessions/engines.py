"""Read sessions of Django's engines in batches, without writing.

Some engines write while they load: that of files deletes expired ones, and a third-party engine may
create a session for an unknown key. Here they cannot.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cache, cached_db, db, signed_cookies
from django.db import OperationalError

from ...primary_cache import primary_cache
from ..lookup import Lookup
from ..moments import aware

__all__ = [
    "SHORTEST_KEY",
    "Session",
    "Sessions",
    "can_forget",
    "engine",
    "has_table",
    "is_in_database",
    "session_model",
    "session_of",
]

SHORTEST_KEY = 8
"""Length of the shortest text that Django accepts as the key of a session."""

# Characters that every cache accepts in a key: memcached accepts the fewest.
_CACHEABLE = re.compile(r"[!-~]{8,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The data that an engine has under a key. `expires_at` is aware."""

    data: Mapping[str, Any]
    expires_at: datetime


def engine() -> Any:
    """Return the class of `SESSION_ENGINE`."""
    return import_module(settings.SESSION_ENGINE).SessionStore


def session_model() -> Any:
    """Return the model of the engine's table; None if it has none."""
    return engine().get_model_class() if hasattr(engine(), "get_model_class") else None


def has_table() -> bool:
    """Return True if the engine has a table, whose signals show which sessions are renewed."""
    try:
        return session_model() is not None
    except (ImportError, RuntimeError):  # an engine that cannot be used, or is not installed
        return False


def session_of(row: Any) -> Session:
    """Return the session in a row of such a table."""
    data = engine()().decode(row.session_data)
    return Session(data=data, expires_at=aware(row.expire_date))


def can_forget() -> bool:
    """Return False if a session cannot be deleted, because the cookie holds it."""
    # By the method, and not by the class: a site may have derived its engine from this one.
    return engine().load is not signed_cookies.SessionStore.load


def is_in_database() -> bool:
    """Return True if reading a session queries no service but the site's database.

    A cache is another service, whose outage must not delay tokens in database rows.
    """
    return engine() in (db.SessionStore, signed_cookies.SessionStore)


class Sessions:
    """The sessions of `SESSION_ENGINE`."""

    def __init__(self) -> None:
        self._rows = Lookup(lambda: session_model().objects, "session_key")

    def find(self, keys: Collection[str]) -> dict[str, Session]:
        """Return the sessions that exist, expired rows included: with one call for all keys of a
        database or a cache, and one for each file, cookie or session of a third-party engine.
        """
        store = engine()
        # By the method again: an engine that overrides it may decide more than the row shows.
        if store.load in (db.SessionStore.load, cached_db.SessionStore.load):
            # The `cached_db` engine too: its rows are authoritative.
            return {row.session_key: session_of(row) for row in self._rows.find(keys)}
        if store.load is cache.SessionStore.load:
            return _find_cached(store(), keys)
        loaded = {key: _load(store(key)) for key in keys}
        return {key: session for key, session in loaded.items() if session.data}


def _find_cached(store: Any, keys: Collection[str]) -> dict[str, Session]:
    """Read the cache itself: while it fails, the engine would return "no session"."""
    names = {store.cache_key_prefix + key: key for key in keys if _CACHEABLE.fullmatch(key)}
    try:
        found = primary_cache(settings.SESSION_CACHE_ALIAS).get_many(names)
    except Exception as error:
        raise OperationalError("The cache of the sessions is unavailable.") from error
    return {names[name]: _of(store, data) for name, data in found.items()}


def _load(store: Any) -> Session:
    # On this one object only: the engine's class belongs to the site.
    vars(store).update(dict.fromkeys(("create", "delete", "save"), _write_nothing))
    return _of(store, store.load())


def _write_nothing(*_: Any, **__: Any) -> None:
    """Replace an engine's methods that would create, save or delete a session."""


def _of(store: Any, data: Mapping[str, Any]) -> Session:
    """Return the expiry of a session whose engine stores no time of use, as if it were used now."""
    expires_at = store.get_expiry_date(expiry=data.get("_session_expiry"))
    return Session(data=data, expires_at=aware(expires_at))
