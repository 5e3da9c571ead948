"""Call functions at the end of the HTTP request in which the caller runs.

A view that changes a password saves the user first, and calls `update_session_auth_hash` for the
session that stays valid. No signal announces that call, so it is known only at the end of the
request which sessions ended.

The request of running code is found in one of three ways. Under ASGI, all tasks and threads of a
request share the object by which asgiref chooses the thread of synchronous code. Under WSGI, they
share a context variable. Django's asynchronous test client has neither: a request starts in the
thread of synchronous code and ends in another one, and only the event loop is the same.
"""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from django.core.signals import request_finished, request_started
from django.db import connections

from ..django_internals import asgi_request, loop_of_sync_code
from ..observability.error_log import log_error

__all__ = ["LONGEST", "at_end_of_request"]

LONGEST = 2.0
"""Seconds that a call waits at most: a response may be streamed for minutes, or never closed."""


class _Call:
    """A function that is called once: at the end of the request, or by a timer."""

    def __init__(self, call: Callable[[], None]) -> None:
        # A list, because its `pop` is atomic: of two threads, one gets the call.
        self._waiting = [call]
        self._timer = threading.Timer(LONGEST, self._run_out)
        self._timer.daemon = True
        self._timer.start()

    def make(self) -> None:
        """Make the call, unless it was made."""
        self._timer.cancel()
        try:
            call = self._waiting.pop()
        except IndexError:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the response is sent, and no code catches it
            log_error("Sockets could not be closed: the next sweep closes them.", error)

    def _run_out(self) -> None:
        self.make()
        # A receiver may have opened some in the timer's thread, which ends without closing them.
        connections.close_all()


class _Request:
    """A request, and the functions to call at its end."""

    def __init__(self) -> None:
        self.is_open = True
        self._calls: list[_Call] = []
        self._lock = threading.Lock()

    def add(self, call: Callable[[], None]) -> bool:
        """Make the call at the end. Return False if the request has ended."""
        with self._lock:
            # Under the lock: otherwise the request could end between the look and the append, and
            # the call would wait for its timer.
            if self.is_open:
                self._calls.append(_Call(call))
            return self.is_open

    def end(self) -> None:
        """Make the calls."""
        with self._lock:
            self.is_open = False
            calls, self._calls = self._calls, []
        # Without the lock: a call takes long, and may run a receiver that adds another one.
        for call in calls:
            call.make()


_of_context: ContextVar[_Request | None] = ContextVar("_of_context", default=None)
# Weak, so that a request which never finishes is not kept for ever.
_of_owner: WeakKeyDictionary[Any, _Request] = WeakKeyDictionary()


def at_end_of_request(call: Callable[[], None]) -> None:
    """Call the function at the end of the request; at once if there is none."""
    request = _find()
    if request is None or not request.add(call):
        call()


def _find() -> _Request | None:
    """Return the open request in which the caller runs; None if there is none."""
    asgi = asgi_request()
    if asgi is not None:
        return _of_owner.get(asgi)
    request = _of_context.get()
    # A thread of a WSGI server keeps its context: the request in it may be an earlier one.
    if request is None or not request.is_open:
        loop = loop_of_sync_code()
        request = None if loop is None else _of_owner.get(loop)
    return request


def _begin(**_: Any) -> None:
    _finish()  # an earlier request whose response was never closed
    request, owner = _Request(), asgi_request()
    if owner is None:
        _of_context.set(request)
        owner = loop_of_sync_code()
    if owner is not None:
        _of_owner[owner] = request


def _finish(**_: Any) -> None:
    request = _find()
    if request is not None:
        request.end()


request_started.connect(_begin, dispatch_uid=f"{__name__}._begin")
request_finished.connect(_finish, dispatch_uid=f"{__name__}._finish")
