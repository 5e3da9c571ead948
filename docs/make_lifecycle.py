"""Draw reference/lifecycle.md and its picture: `python -m docs.make_lifecycle`.

Both come from the table of transitions in the code, so they cannot be wrong.
"""

from pathlib import Path

from channels_token_auth.core.lifecycle import TRANSITIONS, Event, State
from docs.drawing import Arrow, draw

REFERENCE = Path(__file__).parent / "reference"
PAGE = REFERENCE / "lifecycle.md"
PICTURE = REFERENCE / "lifecycle.svg"

TEXT = """\
# The lifecycle of a socket

<!-- Made by `python -m docs.make_lifecycle` from the library's table of transitions. -->

A socket is always in one of these states. An event moves it to another.

![States of a socket, and the events that lead from one to the next](lifecycle.svg)

| from | event | to |
|---|---|---|
{rows}

Any other event in a state is a bug in the library: it raises an error, and the state does not
change. Events that reach a closed socket are too late and are dropped.

| event | what happened |
|---|---|
{events}

Whether the application has accepted the socket, and knows of its end, is [another
machine](exchange.md). [The protocol](../../spec/PROTOCOL.md#lifecycle) describes what a client
sees in each state.
"""

MEANINGS = {
    Event.AWAIT: "the handshake holds no credential, and a first message may bring one",
    Event.PRESENT: "the handshake or an `auth` message holds a token, which is now being verified",
    Event.ADMIT: "the token is valid, or the site admits anonymous clients",
    Event.KEEP: "a reauthentication was neither accepted nor rejected (`unavailable`, "
    "`rate_limited`, no answer within `VERIFY_TIMEOUT`): the socket keeps its current "
    "authentication",
    Event.END: "the socket was refused, or closed by the library, the client or the application",
}

MOVES = [
    (start, event, end) for start, known in TRANSITIONS.items() for event, end in known.items()
]

# Where each state stands in the picture: the middle of its box.
PLACES = {
    State.CONNECTING: (110, 60),
    State.AWAITING_CREDENTIAL: (110, 260),
    State.AUTHENTICATING: (390, 160),
    State.AUTHENTICATED: (670, 60),
    State.REAUTHENTICATING: (670, 260),
    State.CLOSED: (390, 390),
}


def page() -> str:
    """Return the whole page."""
    return TEXT.format(
        rows="\n".join(f"| {start} | {event} | {end} |" for start, event, end in MOVES),
        events="\n".join(f"| {event} | {MEANINGS[event]} |" for event in Event),
    )


def picture() -> str:
    """Return the states and transitions as an SVG image."""
    arrows = [_arrow(start, event, end) for start, event, end in MOVES]
    return draw(PLACES, arrows, width=800, height=440)


def _arrow(start: State, event: Event, end: State) -> Arrow:
    # Every state leads to the end: that needs no label.
    label = () if end is State.CLOSED else (event,)
    at, shift = _label_at(start, event, end), _shift(start, event, end)
    return Arrow(start=start, end=end, label=label, at=at, shift=shift)


def _shift(start: State, event: Event, end: State) -> int:
    """Keep the three arrows between the two states of an open socket apart."""
    if State.REAUTHENTICATING not in (start, end) or end is State.CLOSED:
        return 0
    return {Event.PRESENT: -60, Event.ADMIT: 5, Event.KEEP: 70}[event]


def _label_at(start: State, event: Event, end: State) -> float:
    """Return how far along its arrow a label stands, so that no two meet."""
    if State.REAUTHENTICATING in (start, end):
        return {Event.PRESENT: 0.75, Event.ADMIT: 0.5, Event.KEEP: 0.75}.get(event, 0.5)
    return 0.5


if __name__ == "__main__":
    PAGE.write_text(page())
    PICTURE.write_text(picture())
