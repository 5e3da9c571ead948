"""The life of one socket, as a state machine without I/O."""

from .lifecycle import (
    MAX_REAUTHENTICATIONS,
    REAUTHENTICATION_WINDOW,
    TRANSITIONS,
    Close,
    Event,
    Lifecycle,
    Output,
    Rules,
    Send,
    State,
    Verify,
)

__all__ = [
    "MAX_REAUTHENTICATIONS",
    "REAUTHENTICATION_WINDOW",
    "TRANSITIONS",
    "Close",
    "Event",
    "Lifecycle",
    "Output",
    "Rules",
    "Send",
    "State",
    "Verify",
]
