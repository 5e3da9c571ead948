"""Check that the limits count clients and not proxies, and count over all processes."""

import os
from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from .. import conf
from ..core.credentials import Secret
from ..limits.shared_counters import build_store
from .caution import caution

__all__ = ["limits"]

KEEPALIVE = 25.0
"""Seconds by which a TokenSocket's `auth.ping` has arrived: it is sent after 20 s of silence."""


def limits() -> Iterator[checks.CheckMessage]:
    """Check LIMITS and TRUSTED_PROXIES together."""
    storage = conf.configuration().limits.storage
    # In development, clients are on this machine and there is usually one process.
    if not settings.DEBUG:
        yield from _spared()
        if storage is None:
            yield from _counted_by_each()
    if storage is not None:
        yield from _storage(storage)
    yield from _idle()


def _spared() -> Iterator[checks.CheckMessage]:
    """Report defaults that do not apply to the addresses of proxies."""
    found = conf.configuration().limits
    has_default = found.is_default_failures or found.waiting.is_default_address
    if has_default and not conf.configuration().trusted_proxies:
        yield checks.Info(
            'TRUSTED_PROXIES is 0, so the defaults of LIMITS["FAILURES"] and'
            ' LIMITS["WAITING"]["address"] do not apply to loopback and private addresses, which'
            " all clients have behind a proxy.",
            hint="Set TRUSTED_PROXIES to the number of your proxies. If you have none, add this id"
            " to SILENCED_SYSTEM_CHECKS.",
            id="channels_token_auth.I006",
        )


def _counted_by_each() -> Iterator[checks.CheckMessage]:
    """Report rates that each of several processes counts by itself."""
    # uvicorn and gunicorn read the number of their processes from this variable.
    workers = os.environ.get("WEB_CONCURRENCY", "")
    found = conf.configuration().limits
    if workers.isdecimal() and int(workers) > 1 and (found.failures or found.handshakes):
        yield checks.Info(
            f'WEB_CONCURRENCY is {workers} and LIMITS["STORAGE"] is None: each process counts by'
            f" itself, so an address may reach each rate {workers} times.",
            hint='Set LIMITS["STORAGE"] to a store that all processes reach, or divide the rates.',
            id="channels_token_auth.I007",
        )


def _idle() -> Iterator[checks.CheckMessage]:
    """Report a limit below the interval at which TokenSocket keeps its socket open."""
    idle = conf.configuration().limits.idle
    if idle is not None and idle < KEEPALIVE:
        yield from caution(
            f'LIMITS["IDLE"] is {idle:g}: TokenSocket sends auth.ping after 20 s without a frame,'
            " so sockets of clients that are still connected close with 4429 repeatedly.",
            hint=f"Set it to {KEEPALIVE:g} or more, or to None.",
            id="channels_token_auth.W018",
            about="CHANNELS_TOKEN_AUTH",
        )


def _storage(uri: Secret) -> Iterator[checks.CheckMessage]:
    try:
        build_store(uri)
    except Exception as error:  # noqa: BLE001 - whatever the package limits raises
        # Not its text, which may quote the URI with a password.
        missing = isinstance(error, ImportError)
        yield checks.Error(
            f'LIMITS["STORAGE"] cannot be used: {type(error).__name__}.',
            hint='Install "channels-token-auth[limits]".'
            if missing
            else "Give the URI of a synchronous store of the package limits, such as"
            " redis://localhost:6379/2, and install its driver.",
            id="channels_token_auth.E010",
        )
        return
    if uri.reveal().startswith("memory:"):
        yield from caution(
            'LIMITS["STORAGE"] is in memory, which no other process sees: each counts by itself.',
            hint="Use a store that all processes reach, such as Redis, or leave STORAGE out.",
            id="channels_token_auth.W015",
            about="CHANNELS_TOKEN_AUTH",
        )
