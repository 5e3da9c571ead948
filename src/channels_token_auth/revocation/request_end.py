"""Call functions at the end of the HTTP request that this thread answers.

A view that changes a password saves the user first, and calls `update_session_auth_hash` for the
session that may stay afterwards. No signal announces that call: only at the end of the request is
it known which sessions ended.
"""

import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished, request_started

__all__ = ["LONGEST", "at_end_of_request"]

LONGEST = 2.0
"""Seconds that a call waits at most: a response may be streamed for long, or never be closed."""


class _Request(threading.local):
    """The request of a thread. Under ASGI, all synchronous code of one has the same thread."""

    is_open = False

    def __init__(self) -> None:
        self.calls: list[_Call] = []


class _Call:
    """A call that is made once: by the end of the request, or by a timer."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._waiting = [call]
        self._timer = threading.Timer(LONGEST, self.make)
        self._timer.daemon = True
        self._timer.start()

    def make(self) -> None:
        """Make the call, unless it was made."""
        self._timer.cancel()
        try:
            call = self._waiting.pop()  # atomic: the timer has a thread of its own
        except IndexError:
            return
        call()


_request = _Request()


def at_end_of_request(call: Callable[[], None]) -> None:
    """Call the function at the end of the request; at once if there is none."""
    if _request.is_open:
        _request.calls.append(_Call(call))
    else:
        call()


def _begin(**_: Any) -> None:
    _finish()  # of a request whose response was never closed
    _request.is_open = True


def _finish(**_: Any) -> None:
    calls, _request.calls, _request.is_open = _request.calls, [], False
    for call in calls:
        call.make()


request_started.connect(_begin, dispatch_uid=f"{__name__}._begin")
request_finished.connect(_finish, dispatch_uid=f"{__name__}._finish")
