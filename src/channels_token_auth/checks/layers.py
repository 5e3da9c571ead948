"""Whether revocations reach the other processes, over a channel layer that lives."""

from collections.abc import Iterator
from importlib import metadata
from typing import Any

from django.conf import settings
from django.core import checks

from .. import conf

__all__ = ["layer"]

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
BREAKS_FROM = 8
"""The major version of redis-py whose `socket_timeout` is 5 s where none is given."""


def layer() -> Iterator[checks.CheckMessage]:
    """It should be there, reach other processes, and not lose its connection when it is idle."""
    alias = conf.configuration().channel_layer
    layers: dict[str, Any] = getattr(settings, "CHANNEL_LAYERS", {})
    if alias not in layers and alias != "default":
        yield checks.Error(
            f"CHANNEL_LAYER is {alias!r}, and CHANNEL_LAYERS has no such alias.",
            hint=f"Known are {', '.join(layers) or 'none'}.",
            id="channels_token_auth.E006",
        )
        return
    found = layers.get(alias, {"BACKEND": IN_MEMORY})
    if found["BACKEND"] == IN_MEMORY and not settings.DEBUG:
        yield checks.Warning(
            f"CHANNEL_LAYER is {alias!r}, which reaches no other process: a socket there stays"
            f" open until its sweep, for up to {conf.configuration().sweep_interval:g} s.",
            hint="Use channels-redis, where there are several processes or management commands.",
            id="channels_token_auth.W007",
        )
    if found["BACKEND"] == CORE and _is_broken() and not _has_timeout(found.get("CONFIG", {})):
        yield checks.Warning(
            f"CHANNEL_LAYER is {alias!r}, whose connection redis-py {BREAKS_FROM} drops after 5 s"
            " without a message: every idle consumer dies, and revocations are missed meanwhile.",
            hint='Add "socket_timeout": None to each of its hosts, {"address": "redis://…"}; or'
            f" install redis<{BREAKS_FROM}; or use RedisPubSubChannelLayer.",
            id="channels_token_auth.W010",
        )


def _is_broken() -> bool:
    try:
        return int(metadata.version("redis").partition(".")[0]) >= BREAKS_FROM
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _has_timeout(config: dict[str, Any]) -> bool:
    hosts = config.get("hosts") or [None]
    return all(isinstance(each, dict) and "socket_timeout" in each for each in hosts)
