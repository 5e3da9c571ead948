"""Draw reference/lifecycle.md and its picture: `python -m docs.make_lifecycle`.

Both come from the table of transitions in the code, so they cannot be wrong.
"""

from html import escape
from pathlib import Path

from channels_token_auth.core.lifecycle import TRANSITIONS, Event, State

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

[The protocol](../../spec/PROTOCOL.md#lifecycle) says what a client sees in each state.
"""

MEANINGS = {
    Event.AWAIT: "the handshake holds no credential, and a first message may bring one",
    Event.PRESENT: "the handshake or an `auth` message holds a token, which is now being verified",
    Event.ADMIT: "the token is valid, or the site admits anonymous clients",
    Event.KEEP: "a reauthentication was neither accepted nor rejected (`unavailable`, "
    "`rate_limited`): the socket keeps its current authentication",
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
WIDTH, HEIGHT = 800, 440
BOX = (180, 40)


def page() -> str:
    """Return the whole page."""
    return TEXT.format(
        rows="\n".join(f"| {start} | {event} | {end} |" for start, event, end in MOVES),
        events="\n".join(f"| {event} | {MEANINGS[event]} |" for event in Event),
    )


def picture() -> str:
    """Return the states and transitions as an SVG image."""
    arrows = [_arrow(start, event, end) for start, event, end in MOVES]
    boxes = [_box(state) for state in State]
    return "\n".join([_head(), *arrows, *boxes, "</svg>", ""])


def _head() -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>\n'
        '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#555"/></marker></defs>'
    )


def _box(state: State) -> str:
    x, y = PLACES[state]
    width, height = BOX
    return (
        f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" '
        f'rx="6" fill="#eef3fb" stroke="#335"/><text x="{x}" y="{y + 4}">{escape(state)}</text>'
    )


def _arrow(start: State, event: Event, end: State) -> str:
    """Return a line from the edge of one box to the edge of the other, with the event on it."""
    (x1, y1), (x2, y2) = _edge(start, end), _edge(end, start)
    shift = _shift(start, event, end)
    x1, x2 = x1 + shift, x2 + shift
    at = _label_at(start, event, end)
    x, y = round(x1 + (x2 - x1) * at), round(y1 + (y2 - y1) * at)
    label = (
        "" if end is State.CLOSED else f'<text {_HALO} x="{x}" y="{y + 4}">{escape(event)}</text>'
    )
    line = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#555" marker-end="url(#a)"/>'
    return line + label


_HALO = 'fill="#222" stroke="#fff" stroke-width="5" paint-order="stroke"'


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


def _edge(state: State, other: State) -> tuple[int, int]:
    """Return the point of a box that is nearest to the other box."""
    (x, y), (to_x, to_y) = PLACES[state], PLACES[other]
    half_width, half_height = BOX[0] // 2, BOX[1] // 2
    if abs(to_x - x) > 2 * half_width:
        return x + (half_width if to_x > x else -half_width), y
    return x, y + (half_height if to_y > y else -half_height)


if __name__ == "__main__":
    PAGE.write_text(page())
    PICTURE.write_text(picture())
