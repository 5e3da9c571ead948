"""Call functions at the end of the HTTP request that this thread answers.

A view that changes a password saves the user first, and calls `update_session_auth_hash` for the
session that may stay afterwards. No signal announces that call: only at the end of the request is
it known which sessions ended.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished, request_started

__all__ = ["at_end_of_request"]

LONGEST = 60.0
"""Seconds after which a request counts as over, because its server never closed the response."""


class _Request(threading.local):
    """The request of a thread. Under ASGI, all synchronous code of one has the same thread."""

    began_at: float | None = None

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []


_request = _Request()


def at_end_of_request(call: Callable[[], None]) -> None:
    """Call the function at the end of the request; at once if there is none."""
    began_at = _request.began_at
    if began_at is None or time.monotonic() - began_at > LONGEST:
        call()
    else:
        _request.calls.append(call)


def _begin(**_: Any) -> None:
    _finish()  # of a request whose response was never closed
    _request.began_at = time.monotonic()


def _finish(**_: Any) -> None:
    calls, _request.calls, _request.began_at = _request.calls, [], None
    for call in calls:
        call()


request_started.connect(_begin, dispatch_uid=f"{__name__}._begin")
request_finished.connect(_finish, dispatch_uid=f"{__name__}._finish")
