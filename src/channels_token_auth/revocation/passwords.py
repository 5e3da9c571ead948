"""Close a user's sockets after a change of the password, by the effect on each kind of token.

| tokens | after a new password | their sockets |
|---|---|---|
| with rows (DRF, knox, OAuth) | stay valid, as their packages leave them | 4419 |
| sessions | end, but for one that `update_session_auth_hash` renews | 4410; the renewed one: 4419 |
| sessions of engines without a table | the same | 4419, then 4410 if they have ended |
| all others | are denied | 4410 |
"""

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.hashers import is_password_usable
from django.db import connections, transaction

from ..backends.contract import Revocations
from ..backends.session import SessionBackend
from ..backends.sources.owned_rows import former_value
from ..backends.sources.sessions.cycles import Renewals, renewals
from ..backends.sources.sessions.engines import has_table
from ..core.close_codes import CloseReason
from ..core.identity import UserKey
from ..core.revocation import Revocation, Target
from ..django_internals import has_new_password
from ..verification.route import revocable_backends
from .on_commit import after_commit
from .pending.batches import Deny
from .request_end import at_end_of_request

__all__ = ["end_by_password", "has_other_password", "note_disabled_password"]

_DISABLED = "_channels_token_auth_disabled"


def end_by_password(
    user: UserKey, denials: Sequence[Deny], *, using: str, issued_before: float
) -> None:
    """Close the user's sockets. `denials`: functions that deny the tokens without a row.

    `issued_before`: an epoch time. The view that has set the password may issue a token without a
    row right afterwards, which has to stay valid. Raises CacheUnavailable as `after_commit` does,
    after everything else is done.
    """
    backends = revocable_backends()
    # A route may accept sessions even if the settings do not.
    sessions = {SessionBackend.name} | {each.name for each in backends if each.follows_session}
    rows = {each.name for each in backends if each.revocations is Revocations.ROWS} - sessions
    others = Target.of_user(
        user, except_backends=frozenset(sessions | rows), issued_before=issued_before
    )
    # 4419: the clients reconnect with the same token, which is verified again.
    kept = [
        Revocation(target=Target.of_user(user, backend=name), code=CloseReason.TOKEN_EXPIRED)
        for name in sorted(rows)
    ]
    after_commit(kept, [], using=using, is_reported=False)
    end_sessions = partial(_end_sessions, user, sessions, using, renewals(), time.monotonic())
    if connections[using].in_atomic_block:
        transaction.on_commit(partial(at_end_of_request, end_sessions), using=using, robust=True)
    else:  # with autocommit off, `on_commit` would raise, and the denials below would be lost
        at_end_of_request(end_sessions)
    has_others = any(each.name not in sessions | rows for each in backends)
    ended = [Revocation(target=others, code=CloseReason.TOKEN_REVOKED)]
    after_commit(ended, denials, using=using, is_reported=has_others)


def note_disabled_password(
    instance: Any,
    *,
    raw: bool,
    using: str | None = None,
    update_fields: Collection[str] | None = None,
    **_: Any,
) -> None:
    """Note a user whose password is about to be disabled, as the admin does. Before `save`.

    Unlike `set_password`, `set_unusable_password` leaves no sign of the change: only the database
    still has the former hash. One query, for users without a usable password alone.
    """
    values = vars(instance)
    values.pop(_DISABLED, None)
    is_saved = not raw and (update_fields is None or "password" in update_fields)
    if not is_saved or is_password_usable(values.get("password")):
        return
    former = former_value(instance, "password", using=using)
    if former is not None and is_password_usable(former):
        values[_DISABLED] = True


def has_other_password(user: Any) -> bool:
    """Return True if `save` has just stored another password of the user, or disabled it."""
    return has_new_password(user) or bool(vars(user).pop(_DISABLED, False))


def _end_sessions(
    user: UserKey, names: Collection[str], using: str, renewed: Renewals, since: float
) -> None:
    """Close the sockets of the user's sessions. Any thread may call this.

    `renewed`: the sessions that the request has renewed after it set the password, at `since`.
    """
    # A page that has its new session already may have opened a socket with it by now.
    successor = renewed.successor_of(user.key, since=since)
    listed = {each.name for each in revocable_backends()}
    # Where nothing shows which session was renewed, 4419: the renewed session opens a socket again,
    # and the handshakes of the others are refused with 4410.
    code = CloseReason.TOKEN_REVOKED if has_table() else CloseReason.TOKEN_EXPIRED
    for name in sorted(names):
        target = Target.of_user(user, backend=name, except_token_id=successor)
        ended = [Revocation(target=target, code=code)]
        after_commit(ended, [], using=using, is_reported=name in listed)
