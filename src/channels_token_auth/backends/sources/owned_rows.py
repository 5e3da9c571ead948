"""The rows that tokens live in, found by who owns them."""

from collections.abc import Collection, Sequence
from typing import Any

from ...core.credentials import Secret
from ...core.identity import Grant

__all__ = ["asked_for", "owned"]


def owned(rows: Any, grants: Sequence[Grant]) -> Any:
    """Those of a query that may be meant: of these users; all, where a user is not known."""
    owners = {each.user_pk for each in grants}
    return rows if None in owners else rows.filter(user__pk__in=owners)


def asked_for(rows: Any, column: str, grants: Sequence[Grant]) -> Collection[Any]:
    """The primary keys of those whose `column` has one of the `token_id`s for its digest.

    No database can be asked for these: so all are read through, but nothing of them is kept.
    """
    token_ids = {each.authentication.token_id for each in grants}
    columns = owned(rows, grants).values_list("pk", column).iterator()
    return [pk for pk, value in columns if Secret(value).digest in token_ids]
