"""Whether the cache keeps what is put into it, and shows it to all processes."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from .. import conf
from ..backends.contract import Revocations
from ..core.credentials import Location
from .backends import those_that_can_be_built

__all__ = ["cache"]

OF_DJANGO = "django.core.cache.backends."
UNSHARED = (f"{OF_DJANGO}dummy.DummyCache", f"{OF_DJANGO}locmem.LocMemCache")
CULLED = (
    f"{OF_DJANGO}db.DatabaseCache",
    f"{OF_DJANGO}filebased.FileBasedCache",
    f"{OF_DJANGO}locmem.LocMemCache",
)
"""Those that throw entries away when there are over `MAX_ENTRIES`, 300 by default."""

ENOUGH = 10_000
HINT = "Use Redis, Memcached or a database"


def cache() -> Iterator[checks.CheckMessage]:
    """It has to be there; what is shared through it has to be seen, and to stay."""
    alias = conf.configuration().cache
    if alias not in settings.CACHES:
        yield checks.Error(
            f"CACHE is {alias!r}, and CACHES has no such alias.",
            hint=f"Known are {', '.join(settings.CACHES)}.",
            id="channels_token_auth.E004",
        )
    elif not settings.DEBUG:
        yield from _unshared(alias)
        yield from _culled(alias)


def _unshared(alias: str) -> Iterator[checks.CheckMessage]:
    if settings.CACHES[alias]["BACKEND"] not in UNSHARED:
        return
    if Location.TICKET in conf.configuration().policy.locations:
        yield checks.Warning(
            f"CACHE is {alias!r}, which no other process sees: a ticket that one process issued is"
            " invalid at every other.",
            hint=f"{HINT}, or take 'ticket' out of LOCATIONS.",
            id="channels_token_auth.W004",
        )
    if names := _denied_by_cache():
        yield checks.Warning(
            f"CACHE is {alias!r}, which no other process sees: a token of {names} that is revoked"
            " in one process is good in every other, and after a restart.",
            hint=f"{HINT}, for the denylist of tokens that have no row.",
            id="channels_token_auth.W008",
        )


def _culled(alias: str) -> Iterator[checks.CheckMessage]:
    found = settings.CACHES[alias]
    entries = found.get("OPTIONS", {}).get("MAX_ENTRIES", 300)
    names = _denied_by_cache()
    if names and found["BACKEND"] in CULLED and int(entries) < ENOUGH:
        yield checks.Warning(
            f"CACHE is {alias!r}, which throws entries away when there are over {entries}: a"
            f" token of {names} that was revoked is good again then.",
            hint="Set MAX_ENTRIES in its OPTIONS to more tokens than are ever revoked at a time.",
            id="channels_token_auth.W009",
        )


def _denied_by_cache() -> str:
    """Return the names of the backends whose revocations the denylist has to record."""
    return ", ".join(
        repr(each.name)
        for each in those_that_can_be_built()
        if each.revocations is not Revocations.ROWS
    )
