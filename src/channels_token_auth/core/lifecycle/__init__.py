"""The life of one socket, as two state machines without I/O: authentication, and ASGI exchange."""

from .exchange import STEPS, Act, Exchange, Stage, Step
from .lifecycle import MAX_REAUTHENTICATIONS, REAUTHENTICATION_WINDOW, Lifecycle
from .outputs import Abandon, Close, Output, Send, Verify, Warn
from .rules import Rules
from .states import TRANSITIONS, Event, State

__all__ = [
    "MAX_REAUTHENTICATIONS",
    "REAUTHENTICATION_WINDOW",
    "STEPS",
    "TRANSITIONS",
    "Abandon",
    "Act",
    "Close",
    "Event",
    "Exchange",
    "Lifecycle",
    "Output",
    "Rules",
    "Send",
    "Stage",
    "State",
    "Step",
    "Verify",
    "Warn",
]
