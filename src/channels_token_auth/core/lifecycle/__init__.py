"""The life of one socket, as state machines without I/O."""

from .lifecycle import MAX_REAUTHENTICATIONS, REAUTHENTICATION_WINDOW, Lifecycle
from .outputs import Abandon, Close, Output, Send, Verify
from .rules import Rules
from .states import TRANSITIONS, Event, State

__all__ = [
    "MAX_REAUTHENTICATIONS",
    "REAUTHENTICATION_WINDOW",
    "TRANSITIONS",
    "Abandon",
    "Close",
    "Event",
    "Lifecycle",
    "Output",
    "Rules",
    "Send",
    "State",
    "Verify",
]
