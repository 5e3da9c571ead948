"""Check that revocations reach other processes, over a channel layer without known faults."""

from collections.abc import Iterator
from importlib import metadata
from typing import Any

from channels.layers import channel_layers
from django.conf import settings
from django.core import checks

from .. import conf
from .caution import caution

__all__ = ["layer"]

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
POSTGRES = "channels_postgres.core.PostgresChannelLayer"
BREAKS_FROM = 8
"""The major version of redis-py whose `socket_timeout` is 5 s where none is given."""


def layer() -> Iterator[checks.CheckMessage]:
    """Check that the alias `CHANNEL_LAYER` exists, can be built, and reaches other processes."""
    alias = conf.configuration().channel_layer
    layers: dict[str, Any] = getattr(settings, "CHANNEL_LAYERS", {})
    if alias not in layers and alias != "default":
        yield checks.Error(
            f"CHANNEL_LAYER is {alias!r}, and CHANNEL_LAYERS has no such alias.",
            hint=f"Choose one of: {', '.join(layers)}." if layers else "Add it to CHANNEL_LAYERS.",
            id="channels_token_auth.E006",
        )
        return
    # Without a layer, revocations reach this process only, as with one in memory.
    found = layers.get(alias, {"BACKEND": IN_MEMORY})
    if alias in layers and (problem := _problem(alias)):
        yield checks.Error(
            f"CHANNEL_LAYERS[{alias!r}] cannot be built: {problem}",
            hint="Correct its BACKEND and CONFIG, and install its package, such as channels-redis."
            " Until then, sockets of other processes close at their next sweep.",
            id="channels_token_auth.E007",
        )
        return
    if found.get("BACKEND") == IN_MEMORY:
        yield from caution(
            f"CHANNEL_LAYER is {alias!r}, which reaches no other process: a socket there stays"
            f" open until its sweep, for up to {conf.configuration().sweep_interval:g} s.",
            hint="Use channels-redis if there are several processes or management commands.",
            id="channels_token_auth.W007",
            about="CHANNEL_LAYERS",
        )
    yield from _traps(alias, found)


def _problem(alias: str) -> str:
    """Return why the layer cannot be built; empty if it can. Building one connects to nothing."""
    try:
        # Not `channel_layers[alias]`, which would keep the layer for the whole process.
        channel_layers.make_backend(alias)
    except Exception as error:  # noqa: BLE001 - whatever a third-party layer raises
        # A module that is missing is the usual cause, and has no secret in its name.
        if isinstance(error.__context__, ModuleNotFoundError):
            return f"there is no module {error.__context__.name!r}."
        # Not its text, which may quote a URL with a password.
        return f"{type(error).__name__}."
    return ""


def _traps(alias: str, found: dict[str, Any]) -> Iterator[checks.CheckMessage]:
    """Report layers that are known to lose messages."""
    config = found.get("CONFIG") or {}
    if found["BACKEND"] == CORE and is_broken() and not _has_timeout(config):
        yield from caution(
            f"CHANNEL_LAYER is {alias!r}, whose connection redis-py {BREAKS_FROM} drops after 5 s"
            " without a message: every idle consumer fails, and revocations are missed meanwhile.",
            hint='Add "socket_timeout": None to each of its hosts, {"address": "redis://…"}; or'
            f" install redis<{BREAKS_FROM}; or use RedisPubSubChannelLayer.",
            id="channels_token_auth.W010",
            about="CHANNEL_LAYERS",
        )
    if found["BACKEND"] == CORE and len(config.get("hosts") or ()) > 1:
        yield from caution(
            f"CHANNEL_LAYER is {alias!r}, a RedisChannelLayer with several hosts: it loses messages"
            " that are sent to one channel, such as a consumer's own.",
            hint="Give it one host, or use RedisPubSubChannelLayer.",
            id="channels_token_auth.W013",
            about="CHANNEL_LAYERS",
        )
    if found["BACKEND"] == POSTGRES:
        yield from caution(
            f"CHANNEL_LAYER is {alias!r}: channels_postgres loses messages that arrive while a"
            " process begins to listen, so some sockets close only at their next sweep.",
            hint="Use channels-redis, or a short SWEEP_INTERVAL.",
            id="channels_token_auth.W014",
            about="CHANNEL_LAYERS",
        )


def is_broken() -> bool:
    """Return True if the installed redis-py drops idle connections."""
    try:
        return int(metadata.version("redis").partition(".")[0]) >= BREAKS_FROM
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _has_timeout(config: dict[str, Any]) -> bool:
    # A host that is given as a URL has redis-py's own default.
    # Without hosts, channels_redis connects to one on this machine, by its URL.
    hosts = config.get("hosts") or [None]
    return all(isinstance(each, dict) and "socket_timeout" in each for each in hosts)
