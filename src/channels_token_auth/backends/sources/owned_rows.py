"""Find the rows of tokens by their users, on the database that receives writes."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import router
from django.db.models import Model

from ...core.credentials import Secret
from ...core.identity import Grant
from ...django_internals import delete_alone, named_database

__all__ = ["asked_for", "delete_asked_for", "for_write", "former_value", "owned"]


def for_write(rows: Any) -> Any:
    """Return all rows of a manager or a query, on the database that receives writes.

    Code that revokes a token reads there too: a replica that lags lacks the token just issued.
    """
    rows = rows.all()
    # A manager that names a database, such as that of a tenant, has precedence over the router.
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


def delete_asked_for(rows: Any, column: str, grants: Sequence[Grant]) -> None:
    """Delete the rows whose `column` has one of the `token_id`s as its digest."""
    if any(each.user_pk is None for each in grants):
        pks = asked_for(rows, column, grants)  # of all rows, so read two columns of each
    else:
        token_ids = {each.authentication.token_id for each in grants}
        found = owned(rows, grants)
        found = [row for row in found if Secret(getattr(row, column)).digest in token_ids]
        if len(found) == 1 and type(found[0]).delete is Model.delete:
            # Nearly always. It is read already: a query set would read it again, for the signals.
            # A site's own `delete` may keep the row, which would leave the token valid.
            using = found[0]._state.db
            # Without BEGIN and COMMIT, which are two round trips more, wherever nobody notices.
            if not delete_alone(found[0], using):
                found[0].delete(using=using)
            return
        pks = [row.pk for row in found]
    rows.filter(pk__in=pks).delete()


def former_value(
    instance: Any,
    column: str,
    *,
    using: str | None = None,
    update_fields: Collection[str] | None = None,
    **_: Any,
) -> Any:
    """Return what the row has in `column`, if it is about to be overwritten with another value.

    The other arguments are those of `pre_save`. One query for each save of the column of a row that
    exists; none where the column is the primary key, because another key is another row.
    """
    field = instance._meta.get_field(column)
    is_saved = update_fields is None or column in update_fields
    if not is_saved or instance._state.adding or instance.pk is None or field.primary_key:
        return None
    rows = instance._meta.base_manager.using(using).filter(pk=instance.pk)
    stored = rows.values_list(column, flat=True).first()
    return None if stored == field.pre_save(instance, add=False) else stored
