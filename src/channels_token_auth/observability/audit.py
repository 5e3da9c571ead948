"""Audit records: each security event becomes a log record, and a Django signal for the site.

Receivers of a signal may block and query. In an event loop they are called one after the other, in
the order of the events, in a separate task; elsewhere they are called at once.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.dispatch import Signal

from .. import signals
from ..core.errors import Detail
from ..loop_local import LoopLocal
from ..tasks import is_in_loop, spawn
from . import redaction_filter
from .audit_record import LOGGER, logger, write
from .event_names import EventNames
from .events import (
    ConnectionAuthenticated,
    ConnectionClosed,
    ConnectionReauthenticated,
    Event,
    HandshakeRefused,
    IdentityInjected,
    ReauthenticationRefused,
    RequestRefused,
    RevocationPublished,
    subscribe,
)
from .owasp import owasp_name

__all__ = ["LOGGER", "MAX_WAITING", "start"]

MAX_TEXT = 1_000
"""Characters of a client's value in a record or a signal at most."""

MAX_WAITING = 10_000
"""Most signals that wait for slow receivers in one event loop: newer ones are dropped."""

Fields = Mapping[str, Any]


_unsubscribe: list[Callable[[], None]] = []


def start(names: Callable[[], EventNames] = lambda: EventNames.SIGNALS) -> None:
    """Subscribe to the events. A second call changes nothing but `names`.

    `names` is called for each record, and returns the vocabulary. Django calls `AppConfig.ready`
    again whenever a test overrides INSTALLED_APPS.
    """
    while _unsubscribe:
        _unsubscribe.pop()()
    for kind, name in _NAMES.items():
        signal: Signal = getattr(signals, name)
        level = _LEVELS.get(kind, logging.INFO)
        record = partial(_record, names, name, signal, level)
        wants = partial(_is_wanted, signal, level)
        _unsubscribe.append(subscribe(kind, record, wants=wants))


_NAMES: dict[type[Event], str] = {
    ConnectionAuthenticated: "connection_authenticated",
    ConnectionClosed: "connection_closed",
    ConnectionReauthenticated: "connection_reauthenticated",
    HandshakeRefused: "connection_refused",
    IdentityInjected: "identity_injected",
    ReauthenticationRefused: "reauthentication_refused",
    RequestRefused: "request_refused",
    RevocationPublished: "token_revoked",
}

# A person acts as another user: Django's default LOGGING shows this level too.
_LEVELS: dict[type[Event], int] = {IdentityInjected: logging.WARNING}


def _is_wanted(signal: Signal, level: int) -> bool:
    return bool(signal.receivers) or logger.isEnabledFor(level)


def _record(
    names: Callable[[], EventNames], name: str, signal: Signal, level: int, event: Any
) -> None:
    """Log the event, and call the receivers of its signal."""
    if isinstance(event, RevocationPublished) and not event.is_revocation:
        return  # `disconnect` ends no token
    fields = _FIELDS[type(event)](event)
    # Without receivers, it is the log that wants the event: see `_is_wanted`.
    if not signal.receivers or logger.isEnabledFor(level):
        shown = (owasp_name(event) if names() is EventNames.OWASP else None) or name
        write(level, shown, name, fields, at=event.at)
    if not signal.receivers:
        return
    # A receiver may query, which must not block an event loop and all its sockets.
    if is_in_loop():
        _queue_of_loop().put(signal, fields)
    else:
        signal.send_robust(None, **fields)


def _of_connection(event: Any) -> dict[str, Any]:
    fields: dict[str, Any] = event.connection.facts()
    origin = fields["origin"]
    if origin is not None:
        fields["origin"] = _without_secrets(origin)
    fields["path"] = _without_secrets(fields["path"])
    return fields


def _without_secrets(text: str) -> str:
    """Redact the values that a client chose. The library chose all others.

    So the attributes of a record and the arguments of a signal are redacted, like its text. Long
    values are cut first: a client may send a path as long as its server accepts, with no
    credential and so without a limit, and each would become a record of that size.
    """
    if len(text) <= MAX_TEXT:
        return redaction_filter.redacted(text)
    return redaction_filter.redacted(f"{text[:MAX_TEXT]}…")


def _of_close(event: ConnectionClosed) -> Fields:
    fields = _of_connection(event)
    fields["code"] = None if event.code is None else event.code.value
    fields["close_code"] = event.close_code
    return fields


def _of_refusal(event: HandshakeRefused | ReauthenticationRefused) -> Fields:
    fields = _of_connection(event)
    fields["code"], fields["detail"] = event.code.value, _slug(event.detail)
    return fields


def _slug(detail: Detail | None) -> str | None:
    return detail.slug if detail else None


def _of_request(event: RequestRefused) -> Fields:
    return {
        "method": event.method,
        "path": _without_secrets(event.path),
        "address": event.address,
        "code": event.code.value,
        "detail": _slug(event.detail),
        "request_id": event.request_id,
        "traceparent": event.traceparent,
    }


def _of_injection(event: IdentityInjected) -> Fields:
    path = _without_secrets(event.path)
    return {"operator": event.operator, "user_id": event.user_id, "path": path}


def _of_revocation(event: RevocationPublished) -> Fields:
    target = event.revocation.target
    return {
        "user_id": target.user_id,
        "user_kind": target.user_kind,
        "token_id": target.token_id,
        "backend": target.backend,
        "issuer": target.issuer,
        "labels": dict(sorted(target.labels)),
        "except_token_id": target.except_token_id,
        "issued_before": target.issued_before,
        "code": event.revocation.code.value,
    }


_FIELDS: dict[type[Event], Callable[[Any], Fields]] = {
    ConnectionAuthenticated: _of_connection,
    ConnectionClosed: _of_close,
    ConnectionReauthenticated: _of_connection,
    HandshakeRefused: _of_refusal,
    IdentityInjected: _of_injection,
    ReauthenticationRefused: _of_refusal,
    RequestRefused: _of_request,
    RevocationPublished: _of_revocation,
}


class _Queue:
    """The signals of one event loop that wait for their receivers."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Signal, Fields]] = deque()
        self._is_running = False
        self._dropped = 0

    def put(self, signal: Signal, fields: Fields) -> None:
        # Receivers that hang must not fill the memory: the log still has every event.
        if len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append((signal, fields))
        if not self._is_running:
            self._is_running = True
            spawn(self._send())

    async def _send(self) -> None:
        while self._waiting:
            # Await each one, so that receivers get the events in their order.
            signal, fields = self._waiting.popleft()
            await signal.asend_robust(None, **fields)
        self._is_running = False
        if self._dropped:
            logger.error("Receivers were too slow: %d signals were dropped.", self._dropped)
            self._dropped = 0


_queues: LoopLocal[_Queue] = LoopLocal()


def _queue_of_loop() -> _Queue:
    queue = _queues.get()
    if queue is None:
        _queues.set(queue := _Queue())
    return queue
