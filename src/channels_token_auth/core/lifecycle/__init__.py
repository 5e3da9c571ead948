"""Two state machines without I/O for one socket: its authentication, and its ASGI exchange."""

from .exchange import STEPS, Act, Exchange, Stage, Step
from .idle import IDLE_RETRY_AFTER, Idle
from .lifecycle import Lifecycle
from .outputs import Abandon, Close, Output, Send, Verify, Warn
from .rules import MAX_REAUTHENTICATIONS, REAUTHENTICATION_WINDOW, Rules
from .states import TRANSITIONS, Event, State

__all__ = [
    "IDLE_RETRY_AFTER",
    "MAX_REAUTHENTICATIONS",
    "REAUTHENTICATION_WINDOW",
    "STEPS",
    "TRANSITIONS",
    "Abandon",
    "Act",
    "Close",
    "Event",
    "Exchange",
    "Idle",
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
