"""Events as frozen values, each emitted once, at the place where it happens.

Audit records, Django signals, the developer's warnings and metrics subscribe to them. The code that
emits does not depend on its subscribers: see `subscriptions`. A place that runs for every socket
asks `is_wanted` first, so that an event without a subscriber is never built.
"""

from ..subscriptions import Event, emit, emit_soon, subscribe
from . import connections, operations

# All of both: a new event is added in one place, and cannot be left out here.
from .connections import *  # noqa: F403 - their `__all__`
from .operations import *  # noqa: F403 - as above

__all__ = ["Event", "emit", "emit_soon", "subscribe"]
__all__ += connections.__all__
__all__ += operations.__all__
