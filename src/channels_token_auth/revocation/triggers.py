"""Revoke tokens on signals of the backends and of the user model, without an explicit call.

Signals are the fast path, not the only one: the sweep finds changes that send no signal, such as
those of `QuerySet.update`. Nothing here raises into the code that saved or deleted a row.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import Signal

from .. import conf
from ..backends.contract import (
    Authority,
    IssuedToken,
    Revocations,
    RevocationSignal,
    RevokedTokens,
    TokenBackend,
)
from ..backends.session import SessionBackend
from ..backends.sources.user_columns import may_change_activity
from ..backends.sources.users import local_user_key
from ..clock import clock
from ..core.close_codes import CloseReason
from ..core.denial import Denial
from ..core.identity import UserKey
from ..core.revocation import Revocation, Target
from ..observability.error_log import log_error
from ..tenants.site import build_tenants, here, in_tenant, target_here
from ..verification import injected
from ..verification.authenticator import site_authenticator
from ..verification.binding import build_backends, when_rebuilt
from ..verification.denylist import CacheUnavailable
from ..verification.route import backends_of_routes, revocable_backends
from .kinds import kind_of_users, senders, user_models, with_proxies
from .on_commit import after_commit
from .passwords import end_by_password, has_other_password, note_disabled_password
from .pending.batches import Deny, Issued
from .pending.savepoints import UNDENIED
from .shared_cache import warn_of_own_cache

__all__ = ["wire"]

logger = logging.getLogger("channels_token_auth")
Receiver = Callable[..., None]
Connection = tuple[Signal, Any, Receiver]
SHORTEST_SECRET = 12
"""Shorter texts of a row are names and states, as a log should show them."""
_wired: list[list[Connection]] = [[]]


def wire(**_: Any) -> None:
    """Connect the signals of the current settings and routes, and disconnect those of former ones.

    The middleware calls this for a route that has backends of its own.
    """
    connected: list[Connection] = []
    _connect(connected)
    # Last, so that no signal is missed meanwhile. And first in, first out: of threads that do this
    # at the same time, only one stays connected. Two would publish each signal twice.
    _wired.append(connected)
    for signal, sender, receiver in _wired.pop(0):
        signal.disconnect(receiver, sender=sender)


def _connect(connected: list[Connection]) -> None:
    for model in user_models():
        _listen(connected, pre_save, model, note_disabled_password)
        _listen(connected, post_save, model, _user_saved)
    _listen(connected, post_delete, get_user_model(), _user_deleted)
    try:
        for backend, announcement in _announcements():
            for sender in senders(announcement):
                receiver = partial(_announced, backend, announcement)
                _listen(connected, announcement.signal, sender, receiver)
    except ImproperlyConfigured:
        # `check`, `runserver` and the middleware report the mistake itself: once is enough.
        logger.error(  # noqa: TRY400 - a traceback would repeat it
            "CHANNELS_TOKEN_AUTH is wrong, so no revocation signal is connected:"
            " `manage.py check` names the mistake."
        )
    except Exception as error:  # noqa: BLE001 - whatever a backend with wrong settings raises
        what = "Configuration error: revocation signals are not connected; see `manage.py check`."
        log_error(what, error, brief=True)


def _announcements() -> Iterable[tuple[TokenBackend, RevocationSignal]]:
    # Nothing that is cached, such as `site_authenticator`: a setting may still be about to change.
    configuration = conf.override({})
    build_tenants(configuration)  # raises ImproperlyConfigured if TENANTS is wrong
    built = [*injected.backends(), *build_backends(configuration.backends)]
    backends = [*{each.name: each for each in built}.values(), *backends_of_routes(besides=built)]
    for backend in backends:
        for announcement in backend.announcements():
            yield backend, announcement
    if all(each.authority is not Authority.SESSION for each in backends):
        # A single route may accept sessions, so logouts close sockets. Receivers for deleted rows
        # are left out: with one, Django loads each row that it deletes, as `clearsessions` does.
        sessions = SessionBackend()
        yield from ((sessions, each) for each in sessions.announcements() if not each.sender)


def _listen(connected: list[Connection], signal: Signal, sender: Any, receiver: Receiver) -> None:
    for each in with_proxies(sender):
        # Not weak: nothing else holds a reference to the partial.
        quiet = partial(_quietly, receiver)
        signal.connect(quiet, sender=each, weak=False)
        connected.append((signal, each, quiet))


def _quietly(receiver: Receiver, **given: Any) -> None:
    try:
        receiver(**given)
    except Exception as error:  # noqa: BLE001 - whatever a backend, its rows or a setting raises
        what = "A revocation signal failed: the next sweep closes the sockets."
        log_error(what, error, about=[{"handle": _long_texts(given.values())}])


def _long_texts(values: Iterable[Any]) -> list[str]:
    """Return the long texts of the signal's rows: each may be a token or a key."""
    flat: list[Any] = []
    for value in values:
        flat += vars(value).values() if isinstance(value, Model) else [value]
    return [each for each in flat if isinstance(each, str) and len(each) >= SHORTEST_SECRET]


def _announced(backend: TokenBackend, announcement: RevocationSignal, **given: Any) -> None:
    tokens: Iterable[RevokedTokens | IssuedToken] = announcement.tokens(**given)
    revocations: list[Revocation] = []
    denials: list[Deny] = []
    issued: list[Issued] = []
    for each in tokens:
        user = _user_of(each, backend)
        if isinstance(each, IssuedToken):
            issued.append(Issued(backend.name, user.key if user else None, each.token_id))
            continue
        target = target_here(
            user, may_be_outside=True, token_id=each.token_id, backend=backend.name
        )
        code = CloseReason.TOKEN_EXPIRED if each.is_replaced else CloseReason.TOKEN_REVOKED
        revocations.append(Revocation(target=target, code=code))
        if each.is_denied and each.token_id:
            deny_token = site_authenticator().denylist.deny_token
            denials += [
                partial(warn_of_own_cache, [backend.name]),
                partial(deny_token, each.token_id, backend=backend.name, tenant=here()),
            ]
        elif each.is_denied and user:
            denials += _deny_user(in_tenant(user, may_be_outside=True))
    if revocations or issued:
        _publish_after_commit(revocations, denials, given, is_announced=True, issued=issued)


def _user_of(revoked: RevokedTokens | IssuedToken, backend: TokenBackend) -> UserKey | None:
    if revoked.user_pk is None:
        return None
    return UserKey(kind=kind_of_users(backend), key=str(revoked.user_pk))


def _user_saved(
    instance: Any, *, created: bool, raw: bool, update_fields: Any = None, **given: Any
) -> None:
    """Close the sockets of a user who was deactivated, or who has a new password."""
    # A new user has no sockets. With `raw`, Django loads fixtures: receivers must not query, as
    # related rows may be missing (Django, `post_save`).
    if created or raw:
        return
    if may_change_activity(type(instance), update_fields) and not instance.is_active:
        _end_user(instance, CloseReason.USER_INACTIVE, given)
    elif has_other_password(instance):
        _end_by_password(instance, given)


def _user_deleted(instance: Any, **given: Any) -> None:
    # Django clears the key of the instance only after this signal.
    _end_user(instance, CloseReason.TOKEN_REVOKED, given)


def _end_by_password(user: Any, given: dict[str, Any]) -> None:
    # Now, not at the commit: the view may issue a new token meanwhile, which has to stay valid.
    key, now = in_tenant(local_user_key(user), may_be_outside=True), clock.calendar()
    using = given.get("using") or DEFAULT_DB_ALIAS
    with _logged():
        end_by_password(key, _deny_user(key, issued_before=now), using=using, issued_before=now)


def _end_user(user: Any, code: CloseReason, given: dict[str, Any]) -> None:
    key = in_tenant(local_user_key(user), may_be_outside=True)
    denials = _deny_user(key)
    _publish_after_commit([Revocation(target=Target.of_user(key), code=code)], denials, given)


def _deny_user(key: UserKey, *, issued_before: float | None = None) -> list[Deny]:
    """Return the denials of a user's tokens that have no row; none if all backends have rows.

    `issued_before`: an epoch time. None: the time of the commit, because until then other requests
    still find the user active, and issue tokens.
    """
    backends = revocable_backends()
    if all(each.revocations is Revocations.ROWS for each in backends):
        return []
    # The others need no warning: their store shows that the user is inactive, or the password new.
    denied = [each.name for each in backends if each.revocations is Revocations.NOWHERE]
    return [partial(warn_of_own_cache, denied), partial(_deny_now, key, issued_before)]


def _deny_now(key: UserKey, issued_before: float | None) -> None:
    before = clock.calendar() if issued_before is None else issued_before
    denylist = site_authenticator().denylist
    denylist.deny_user(key, Denial(before=before))
    denylist.deny_first_verified(Target.of_user(key, issued_before=before))


def _publish_after_commit(
    revocations: Sequence[Revocation],
    denials: Sequence[Deny],
    given: dict[str, Any],
    *,
    is_announced: bool = False,
    issued: Sequence[Issued] = (),
) -> None:
    # A backend's own signal may have no database: `given` are the arguments of any signal.
    using = given.get("using") or DEFAULT_DB_ALIAS
    with _logged():
        after_commit(revocations, denials, using=using, is_announced=is_announced, issued=issued)


@contextmanager
def _logged() -> Iterator[None]:
    """Log a denial that failed, instead of raising it into the code that saved a row."""
    try:
        yield
    except CacheUnavailable as error:
        log_error(UNDENIED, error, brief=True)


setting_changed.connect(when_rebuilt(wire), weak=False, dispatch_uid=f"{__name__}.wire")
