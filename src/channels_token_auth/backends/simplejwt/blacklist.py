"""The rows of Simple JWT's app `token_blacklist`: which tokens it has ended, and which it can.

Nothing is there where the app is not installed. Access tokens have no row unless a site makes one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.db.models.signals import post_save
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from ..contract import RevocationSignal, RevokedTokens

__all__ = ["announcements", "blacklist", "blacklist_of_user", "find_blacklisted", "is_installed"]


def is_installed() -> bool:
    """Whether there are such rows at all."""
    return apps.is_installed("rest_framework_simplejwt.token_blacklist")


def find_blacklisted(token_ids: Collection[str]) -> set[str]:
    """Those of the tokens that have ended, in one query."""
    if not token_ids:
        return set()
    rows = BlacklistedToken.objects.filter(token__jti__in=set(token_ids))
    return set(rows.values_list("token__jti", flat=True))


def blacklist(token_ids: Collection[str]) -> set[str]:
    """End those of the tokens that have a row, and say which these are."""
    rows = _end(OutstandingToken.objects.filter(jti__in=set(token_ids)))
    return {row.jti for row in rows}


def blacklist_of_user(
    user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
) -> None:
    """End the user's refresh and sliding tokens, but for one and those issued after a moment."""
    rows = OutstandingToken.objects.filter(user__pk=user_pk).exclude(jti=except_token_id)
    if issued_before is not None:
        rows = rows.filter(Q(created_at=None) | Q(created_at__lte=issued_before))
    _end(rows)


def announcements() -> Sequence[RevocationSignal]:
    """The creation of a row in the blacklist."""
    return [RevocationSignal(signal=post_save, sender=BlacklistedToken, ended=_blacklisted)]


def _end(rows: QuerySet[OutstandingToken]) -> Sequence[OutstandingToken]:
    """Two queries, however many rows there are."""
    found = list(rows.only("pk", "jti"))
    # Of two processes that end a token, neither may fail.
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=row) for row in found], ignore_conflicts=True
    )
    return found


def _blacklisted(instance: BlacklistedToken, created: bool, **_: Any) -> Sequence[RevokedTokens]:
    token = instance.token
    return [RevokedTokens(user_pk=token.user_id, token_id=token.jti)] if created else []
