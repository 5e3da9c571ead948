"""Check settings of times that bound each other."""

from collections.abc import Iterator

from django.core import checks

from .. import conf

__all__ = ["clamped"]


def clamped() -> Iterator[checks.CheckMessage]:
    """Warn about a setting that has less effect than its value suggests."""
    # The configuration has the smaller value already: only the setting shows the difference.
    asked, gets = conf.given("VERIFIED_CACHE_SECONDS"), conf.configuration().verified_cache_seconds
    if asked is not None and asked > gets:
        yield checks.Info(
            f"VERIFIED_CACHE_SECONDS is {asked:g}, but {gets:g} is used, which is SWEEP_INTERVAL: a"
            " cached verdict must not hide a revocation for longer than a sweep does.",
            hint="Set it to SWEEP_INTERVAL or less.",
            id="channels_token_auth.I001",
        )
