"""Convert times of rows: the library uses aware times, whatever `USE_TZ` makes of the columns."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from ...clock import clock

__all__ = ["aware", "for_column", "has_passed", "local"]


def aware(moment: datetime) -> datetime:
    """Return a column's value as an aware datetime: with USE_TZ off, columns hold naive ones."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def for_column(moment: datetime) -> datetime:
    """Return an aware datetime as a column is compared with: naive if USE_TZ is off."""
    # With USE_TZ off, SQLite and MySQL raise ValueError for an aware time.
    return moment if settings.USE_TZ else timezone.make_naive(moment)


def local(moment: datetime) -> datetime:
    """Return an aware datetime in the site's time zone, for texts that people read."""
    try:
        return timezone.localtime(moment)
    except (OverflowError, ValueError):
        # Some issuers write "never" as the last second of the calendar, which has no later zone.
        return moment


def has_passed(moment: datetime | None) -> bool:
    """Return True if a token or session with this end has expired: also at the moment itself.

    None: it never does. The same rule as `Authentication.is_expired`, by the library's own clock.
    """
    return moment is not None and moment.timestamp() <= clock.calendar()
