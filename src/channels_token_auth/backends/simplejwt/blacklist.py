"""Read and write the rows of Simple JWT's app `token_blacklist`.

The app may not be installed. Access tokens have no row unless a site creates one.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.signals import post_save
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from ..contract import RevocationSignal, RevokedTokens
from ..sources.owned_rows import for_write

__all__ = ["announcements", "blacklist", "blacklist_of_user", "find_blacklisted", "is_installed"]


def is_installed() -> bool:
    """Return True if the app, and so its tables, are installed."""
    return apps.is_installed("rest_framework_simplejwt.token_blacklist")


def find_blacklisted(token_ids: Collection[str]) -> set[str]:
    """Return the tokens that are blacklisted, in one query."""
    if not token_ids:
        return set()
    rows = BlacklistedToken.objects.filter(token__jti__in=set(token_ids))
    return set(rows.values_list("token__jti", flat=True))


def blacklist(token_ids: Collection[str]) -> set[str]:
    """Blacklist the tokens that have a row, and return these."""
    rows = _end(for_write(OutstandingToken.objects).filter(jti__in=set(token_ids)))
    return {row.jti for row in rows}


def blacklist_of_user(
    user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
) -> None:
    """Blacklist the user's refresh and sliding tokens, except one and those issued later."""
    rows = for_write(OutstandingToken.objects).filter(user__pk=user_pk)
    # None excludes no row: in SQL this asks for "IS NULL", which no `jti` is.
    rows = rows.exclude(jti=except_token_id)
    if issued_before is not None:
        # The column may be NULL: a token of unknown age counts as an old one.
        before = _for_column(issued_before)
        rows = rows.filter(Q(created_at=None) | Q(created_at__lte=before))
    _end(rows)


def announcements() -> Sequence[RevocationSignal]:
    """Announce the creation of a row in the blacklist."""
    return [RevocationSignal(signal=post_save, sender=BlacklistedToken, tokens=_blacklisted)]


def _for_column(moment: datetime) -> datetime:
    """Return an aware datetime as the package writes it: with USE_TZ off, naive and in UTC."""
    return moment if settings.USE_TZ else moment.astimezone(UTC).replace(tzinfo=None)


def _end(rows: QuerySet[OutstandingToken]) -> Sequence[OutstandingToken]:
    """Blacklist the tokens of these rows, in two queries, and return the rows."""
    found = list(rows.only("pk", "jti"))
    # Two processes may blacklist the same token at once: neither may fail.
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=row) for row in found], ignore_conflicts=True
    )
    return found


def _blacklisted(instance: BlacklistedToken, created: bool, **_: Any) -> Sequence[RevokedTokens]:
    token = instance.token
    return [RevokedTokens(user_pk=token.user_id, token_id=token.jti)] if created else []
