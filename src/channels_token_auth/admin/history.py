"""Record closed sockets in Django's admin history."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from ..core.identity import UserKey
from ..usernames import is_site_user, usernames

__all__ = ["note", "note_label"]


def note(request: HttpRequest, user: UserKey | None, what: str, *, revokes: bool) -> None:
    """Record that a user's sockets were closed. Users without a row here have no history."""
    user_id = user.key if user and is_site_user(user.kind) else None
    name = usernames([user_id]).get(user_id or "")
    # A log entry is shown in the history of its object. The audit records have the close in any
    # case.
    if name is None:
        return
    users = ContentType.objects.get_for_model(get_user_model())
    _record(request, name, what, revokes=revokes, content_type=users, object_id=user_id)


def note_label(request: HttpRequest, label: str, what: str, *, revokes: bool) -> None:
    """Record that the sockets with a label were closed, of any number of users."""
    # Without an object, since many users may have the label: the admin's own history shows it.
    _record(request, label, what, revokes=revokes)


def _record(request: HttpRequest, name: str, what: str, *, revokes: bool, **row: Any) -> None:
    staff: Any = request.user
    LogEntry.objects.create(
        user=staff,
        object_repr=name[:200],  # the length of the column
        action_flag=CHANGE,
        change_message=f"Closed {what}" + (", and revoked the tokens." if revokes else "."),
        **row,
    )
