"""Check that the cache keeps its entries, and that all processes share it."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from .. import conf
from ..backends.contract import Revocations
from ..core.credentials import Location
from .backends import buildable_backends
from .caution import caution

__all__ = ["HINT", "UNSHARED", "cache"]

OF_DJANGO = "django.core.cache.backends."
UNSHARED = (f"{OF_DJANGO}dummy.DummyCache", f"{OF_DJANGO}locmem.LocMemCache")
CULLED = (f"{OF_DJANGO}db.DatabaseCache", f"{OF_DJANGO}filebased.FileBasedCache")
"""Caches that delete entries when they hold over `MAX_ENTRIES`, 300 by default. The library keeps
the denials of a LocMemCache elsewhere."""

ENOUGH = 10_000
"""Entries that suffice for the denials of most sites."""

HINT = "Use Redis, Memcached or a database"


def cache() -> Iterator[checks.CheckMessage]:
    """Check that the alias `CACHE` exists, is shared by all processes, and keeps denials."""
    alias = conf.configuration().cache
    if alias not in settings.CACHES:
        yield checks.Error(
            f"CACHE is {alias!r}, and CACHES has no such alias.",
            hint=f"Choose one of: {', '.join(settings.CACHES)}.",
            id="channels_token_auth.E004",
        )
        return
    if settings.CACHES[alias]["BACKEND"] in UNSHARED:
        yield from _tickets_of_one_process(alias)
        yield from _denials_of_one_process(alias)
    yield from _culled(alias)


def _tickets_of_one_process(alias: str) -> Iterator[checks.CheckMessage]:
    if Location.TICKET in conf.configuration().policy.locations:
        yield from caution(
            f"CACHE is {alias!r}, which no other process sees: with several processes, a ticket"
            " that one process issued is invalid in the others.",
            hint=f"{HINT}, or take 'ticket' out of LOCATIONS.",
            id="channels_token_auth.W004",
            about="CACHES",
        )


def _denials_of_one_process(alias: str) -> Iterator[checks.CheckMessage]:
    """Report tokens whose revocation other processes and commands never see."""
    names = _denied_by_cache()
    if names:
        # With DEBUG on, there is usually one process: its own denials work.
        level = checks.Info if settings.DEBUG else checks.Error
        yield level(
            f"CACHE is {alias!r}, which no other process sees: tokens of {names} have no row, so"
            " one that is revoked in one process stays valid in every other. Commands cannot"
            " revoke it at all.",
            hint=f"{HINT}, which all processes share, for the denylist.",
            id="channels_token_auth.E008",
        )


def _culled(alias: str) -> Iterator[checks.CheckMessage]:
    found = settings.CACHES[alias]
    # 300 is Django's own default. It converts a text such as "500" as well.
    entries = found.get("OPTIONS", {}).get("MAX_ENTRIES", 300)
    names = _denied_by_cache()
    if names and found["BACKEND"] in CULLED and int(entries) < ENOUGH:
        yield from caution(
            f"CACHE is {alias!r}, which deletes entries when it holds over {entries}: a revoked"
            f" token of {names} becomes valid again then.",
            hint="Set MAX_ENTRIES in its OPTIONS to more tokens than are ever revoked at a time.",
            id="channels_token_auth.W009",
            about="CACHES",
        )


def _denied_by_cache() -> str:
    """Return the names of the backends whose revocations the denylist has to record."""
    return ", ".join(
        repr(each.name) for each in buildable_backends() if each.revocations is not Revocations.ROWS
    )
