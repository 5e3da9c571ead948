"""Caches as sites have them, and as they fail. All but the first are shared between processes."""

import json
import threading
from itertools import count
from pathlib import Path

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

__all__ = ["Away", "Counting", "Deaf", "JSONCache", "Remote", "Slow", "cache", "kinds_of_cache"]

_numbers = count()
_contents = {}


class Remote(BaseCache):
    """A server in memory: all that have its name share it."""

    def __init__(self, name, params):
        super().__init__(params)
        self.contents = _contents.setdefault(name, {})

    def get(self, key, default=None, version=None):
        return self.contents.get(key, default)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if key in self.contents:
            return False
        self.set(key, value, timeout)
        return True

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.contents[key] = value

    def delete(self, key, version=None):
        return self.contents.pop(key, None) is not None

    def clear(self):
        self.contents.clear()


class Slow(Remote):
    """Does not answer before it is opened."""

    entered, opened = threading.Event(), threading.Event()

    def get(self, key, default=None, version=None):
        type(self).entered.set()
        assert type(self).opened.wait(60)
        return super().get(key, default, version)


class Away(Remote):
    """Refuses every connection while `is_away`."""

    is_away = True

    def get(self, key, default=None, version=None):
        self._fail()
        return super().get(key, default, version)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._fail()
        super().set(key, value, timeout)

    def delete(self, key, version=None):
        self._fail()
        return super().delete(key)

    def _fail(self):
        if type(self).is_away:
            raise ConnectionError("connection refused")


class Deaf(Remote):
    """Takes nothing, finds nothing, and reports no error: as where exceptions are ignored."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return None

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        pass


class Counting(Remote):
    """Notes what it is asked, and for how long it is to keep what."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.asked = []
        self.timeouts = {}
        self.added = []

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.added.append(key)
        return super().add(key, value, timeout)

    def get_many(self, keys, version=None):
        self.asked.append(set(keys))
        return {key: self.contents[key] for key in keys if key in self.contents}

    def get(self, key, default=None, version=None):
        self.asked.append({key})
        return super().get(key, default)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.timeouts[key] = timeout
        super().set(key, value, timeout)


class JSONCache(Remote):
    """Keeps what JSON can express, and no more."""

    def get(self, key, default=None, version=None):
        found = super().get(key)
        return default if found is None else json.loads(found)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, json.dumps(value), timeout)


def cache(kind, **options):
    """CACHES with a new one alone: a class of this module, or a dotted path."""
    path = kind if isinstance(kind, str) else f"{__name__}.{kind.__name__}"
    return {"default": {"BACKEND": path, "LOCATION": f"new {next(_numbers)}", **options}}


def kinds_of_cache(folder: Path):
    """Return caches of each kind: of one process, in files, in a table, and one with JSON."""
    return {
        "memory": cache("django.core.cache.backends.locmem.LocMemCache"),
        "files": cache("django.core.cache.backends.filebased.FileBasedCache", LOCATION=str(folder)),
        "table": cache("django.core.cache.backends.db.DatabaseCache", LOCATION="a_cache"),
        "json": cache(JSONCache),
    }
