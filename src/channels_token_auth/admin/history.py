"""Record what staff did on the page in the user's admin history."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from ..core.identity import UserKey
from ..usernames import is_site_user, usernames

__all__ = ["note"]


def note(request: HttpRequest, user: UserKey | None, what: str, *, revokes: bool) -> None:
    """Record what was done to a user's sockets, where the user has a row here."""
    user_id = user.key if user and is_site_user(user.kind) else None
    name = usernames([user_id]).get(user_id or "")
    if name is None:
        return
    staff: Any = request.user
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(get_user_model()),
        object_id=user_id,
        object_repr=name[:200],
        action_flag=CHANGE,
        change_message=f"Closed {what}" + (", and revoked the tokens." if revokes else "."),
    )
