"""Two state machines without I/O for one socket: its authentication, and its ASGI exchange.

A `Lifecycle` takes inputs (a frame, a verdict, the time) and returns outputs, which its caller acts
on in order. It opens no connection, starts no timer and imports no Django, so that a test runs it
without an event loop, and every server and backend gets the same decisions:

| module | content |
|---|---|
| `states` | the states, their table of transitions, and the rules that the table guarantees |
| `lifecycle` | the inputs: what each does in each state |
| `outputs` | the values that inputs return |
| `rules`, `timetable` | the bounds of a route, and the deadlines of one socket |
| `messages` | the `auth.*` frames as text |
| `exchange` | the other machine: which ASGI messages were exchanged with server and application |
| `idle` | the limit on sockets that send nothing |

Read `states` first. docs/reference/lifecycle.md lists who causes each event and what always holds,
and runs an example exchange.
"""

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
