"""Open caches of the site so that they read what was written a moment ago.

With several servers in `LOCATION`, Django's Redis cache writes to the first one and reads from the
others, its replicas, which lag. A ticket that was issued just now would be unknown, a revoked token
would still be valid, and the denylist would look as if it had been wiped. So this library reads
from the server that receives writes. Other caches, and some clients of `django_redis`, spread their
keys over several servers: each key has one server there, which is asked as the site asks it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache
from django.utils.module_loading import import_string

__all__ = ["primary_cache"]

THIRD_PARTY = ("django_redis.", "django_valkey.")
"""Packages whose caches read from replicas in the same way, but inherit from no class of Django."""

SPREADING = ("Shard", "Cluster")
"""Parts of the names of their classes that spread keys: `ShardClient`, `ClusterValkeyCache`."""

SENTINEL = "SentinelClient"
"""The class that looks the primary and its replicas up itself, by a single name in `LOCATION`."""

# Of each thread's cache: the one with a single server, None where the cache itself is that one.
_primaries: "WeakKeyDictionary[BaseCache, BaseCache | None]" = WeakKeyDictionary()


def primary_cache(alias: str) -> BaseCache:
    """Return the cache of this alias, without its replicas. Raises what a cache raises."""
    cache = caches[alias]
    if cache not in _primaries:
        _primaries[cache] = _without_replicas(alias, cache)
    return _primaries[cache] or cache


def _without_replicas(alias: str, cache: BaseCache) -> BaseCache | None:
    if not _may_have_replicas(cache):
        return None
    parameters: dict[str, Any] = {**settings.CACHES[alias]}
    names = {each.__name__ for each in (*type(cache).__mro__, *_client(parameters))}
    if any(part in name for name in names for part in SPREADING):
        return None
    servers = _servers(parameters.pop("LOCATION", None) or "")
    if len(servers) < 2 and SENTINEL not in names:
        return None
    del parameters["BACKEND"]
    # As `django.core.cache.CacheHandler` builds it, with other servers. A list, since a Sentinel's
    # client looks up the replicas of a text, and only the primary of an entry.
    build: Any = type(cache)
    primary: BaseCache = build([servers[0]], parameters)
    return primary


def _may_have_replicas(cache: BaseCache) -> bool:
    is_packaged = any(each.__module__.startswith(THIRD_PARTY) for each in type(cache).__mro__)
    return isinstance(cache, RedisCache) or is_packaged


def _client(parameters: Mapping[str, Any]) -> Sequence[type]:
    """Return the class of a package's client, with all that it inherits from."""
    path = (parameters.get("OPTIONS") or {}).get("CLIENT_CLASS")
    classes: Sequence[type] = import_string(path).__mro__ if isinstance(path, str) else ()
    return classes


def _servers(location: Any) -> Sequence[str]:
    return re.split("[;,]", location) if isinstance(location, str) else location
