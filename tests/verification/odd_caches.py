"""Caches as sites have them, and as they fail."""

import json
from itertools import count
from pathlib import Path

from django.core.cache.backends.locmem import LocMemCache

__all__ = ["Away", "Counting", "Deaf", "JSONCache", "cache", "kinds_of_cache"]

_numbers = count()


class Away(LocMemCache):
    """Refuses every connection while `is_away`."""

    is_away = True

    def get(self, key, default=None, version=None):
        self._fail()
        return super().get(key, default, version)

    def get_many(self, keys, version=None):
        self._fail()
        return {key: value for key in keys if (value := super(Away, self).get(key)) is not None}

    def add(self, *args, **kwargs):
        self._fail()
        return super().add(*args, **kwargs)

    def set(self, *args, **kwargs):
        self._fail()
        super().set(*args, **kwargs)

    def _fail(self):
        if type(self).is_away:
            raise ConnectionError("connection refused")


class Deaf(LocMemCache):
    """Takes nothing, finds nothing, and says so to nobody: as where exceptions are ignored."""

    def get(self, key, default=None, version=None):
        return default

    def add(self, *args, **kwargs):
        return None

    def set(self, *args, **kwargs):
        pass


class Counting(LocMemCache):
    """Notes what it is asked, and how long it is to remember."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.asked = []
        self.timeouts = {}

    def get_many(self, keys, version=None):
        self.asked.append(set(keys))
        return {key: value for key in keys if (value := super(Counting, self).get(key)) is not None}

    def get(self, key, default=None, version=None):
        self.asked.append({key})
        return super().get(key, default, version)

    def set(self, key, value, timeout=None, version=None):
        self.timeouts[key] = timeout
        super().set(key, value, timeout, version)


class JSONCache(LocMemCache):
    """Keeps what JSON can say, and no more."""

    def get(self, key, default=None, version=None):
        found = super().get(key, None, version)
        return default if found is None else json.loads(found)

    def add(self, key, value, *args, **kwargs):
        return super().add(key, json.dumps(value), *args, **kwargs)

    def set(self, key, value, *args, **kwargs):
        super().set(key, json.dumps(value), *args, **kwargs)


def cache(kind, **options):
    """CACHES with a new one alone: a class of this module, or a dotted path."""
    path = kind if isinstance(kind, str) else f"{__name__}.{kind.__name__}"
    return {"default": {"BACKEND": path, "LOCATION": f"new {next(_numbers)}", **options}}


def kinds_of_cache(folder: Path):
    """Of one process, of files, of a table; and one that writes JSON."""
    return {
        "memory": cache("django.core.cache.backends.locmem.LocMemCache"),
        "files": cache("django.core.cache.backends.filebased.FileBasedCache", LOCATION=str(folder)),
        "table": cache("django.core.cache.backends.db.DatabaseCache", LOCATION="a_cache"),
        "json": cache(JSONCache),
    }
