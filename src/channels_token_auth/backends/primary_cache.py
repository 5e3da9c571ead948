"""Open caches of the site so that they read what was written a moment ago.

With several servers in `LOCATION`, Django's Redis cache writes to the first one and reads from the
others, its replicas, which lag. A ticket that was issued just now would be unknown, a revoked token
would still be valid, and the denylist would look as if it had been wiped. So this library reads
from the server that receives writes. Other caches spread their keys over several servers.
"""

import re
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache

__all__ = ["primary_cache"]

THIRD_PARTY = ("django_redis.", "django_valkey.")
"""Packages whose caches read from replicas in the same way, but inherit from no class of Django."""

# Of each thread's cache: the one with a single server, None where the cache itself is that one.
_primaries: "WeakKeyDictionary[BaseCache, BaseCache | None]" = WeakKeyDictionary()


def primary_cache(alias: str) -> BaseCache:
    """Return the cache of this alias, without its replicas. Raises what a cache raises."""
    cache = caches[alias]
    if cache not in _primaries:
        _primaries[cache] = _without_replicas(alias, cache)
    return _primaries[cache] or cache


def _without_replicas(alias: str, cache: BaseCache) -> BaseCache | None:
    if not _has_replicas(cache):
        return None
    parameters: dict[str, Any] = {**settings.CACHES[alias]}
    servers = _servers(parameters.pop("LOCATION", None) or "")
    if len(servers) < 2:
        return None
    del parameters["BACKEND"]
    # As `django.core.cache.CacheHandler` builds it, with other servers.
    build: Any = type(cache)
    primary: BaseCache = build(servers[0], parameters)
    return primary


def _servers(location: Any) -> Sequence[str]:
    return re.split("[;,]", location) if isinstance(location, str) else location


def _has_replicas(cache: BaseCache) -> bool:
    return isinstance(cache, RedisCache) or type(cache).__module__.startswith(THIRD_PARTY)
