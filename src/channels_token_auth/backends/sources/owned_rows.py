"""Find the rows of tokens by their users, on the database that receives writes."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import router

from ...core.credentials import Secret
from ...core.identity import Grant
from ...django_internals import named_database

__all__ = ["asked_for", "for_write", "owned"]


def for_write(rows: Any) -> Any:
    """Return all rows of a manager or a query, on the database that receives writes.

    Code that revokes a token reads there too: a replica that lags lacks the token just issued.
    """
    rows = rows.all()
    # A manager that named a database itself, such as a tenant's, knows better than the router.
    return rows if named_database(rows) else rows.using(router.db_for_write(rows.model))


def owned(rows: Any, grants: Sequence[Grant]) -> Any:
    """Return the rows of the grants' users; all rows if one of the users is not known."""
    owners = {each.user_pk for each in grants}
    return rows if None in owners else rows.filter(user__pk__in=owners)


def asked_for(rows: Any, column: str, grants: Sequence[Grant]) -> Collection[Any]:
    """Return the primary keys of the rows whose `column` has one of the `token_id`s as its digest.

    No database computes these digests, so all rows of the users are read, one at a time.
    """
    token_ids = {each.authentication.token_id for each in grants}
    columns = owned(rows, grants).values_list("pk", column).iterator()
    return [pk for pk, value in columns if Secret(value).digest in token_ids]
