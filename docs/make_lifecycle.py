"""Draw reference/lifecycle.md and its picture: `python -m docs.make_lifecycle`.

Both come from the table of transitions in the code, and the example from a run of that code, so
they cannot be wrong.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.lifecycle import (
    TRANSITIONS,
    Close,
    Event,
    Lifecycle,
    Output,
    Rules,
    Send,
    State,
    Verify,
    Warn,
)
from docs.drawing import Arrow, draw

REFERENCE = Path(__file__).parent / "reference"
PAGE = REFERENCE / "lifecycle.md"
PICTURE = REFERENCE / "lifecycle.svg"

TEXT = """\
# The lifecycle of a socket

<!-- Made by `python -m docs.make_lifecycle` from the library's table of transitions. -->

Each socket has one object of the class `Lifecycle`, which decides everything about its
authentication. It takes inputs (a frame, a verdict, the time) and returns outputs, which its caller
acts on. It does no I/O and has no clock of its own, so its rules can be read and tested alone.

## States

A socket is always in one of these states. An event moves it to another.

| state | meaning | it waits for | at most |
|---|---|---|---|
{states}

The application runs in *authenticated* and *reauthenticating*, and in no other state.

![States of a socket, and the events that lead from one to the next](lifecycle.svg)

## Transitions

| from | event | to |
|---|---|---|
{rows}

Any other event in a state is a bug in the library: it raises an error, and the state does not
change. Events that reach a closed socket are too late and are dropped.

## Who may move it

| event | caused by | what happened |
|---|---|---|
{events}

An application can only end a socket: it can neither admit one nor keep one open.

## What always holds

`tests/core/test_lifecycle_machine.py` sends random inputs to the machine and checks these rules.

| rule | because |
|---|---|
{always}

## An example

A client opens a socket without a credential and sends its token in a first message. Its token lives
for a minute, so it reauthenticates; later the fresh token is revoked. Times are in seconds. The
inputs are the real calls, and this table shows what they returned when this page was made.

| what happens | input | state afterwards | outputs |
|---|---|---|---|
{example}

Whether the application has accepted the socket, and knows of its end, is [another
machine](exchange.md). [The protocol](../../spec/PROTOCOL.md#lifecycle) describes what a client
sees in each state.
"""

STATES = {
    State.CONNECTING: ("the opening handshake was read, and is not decided yet", "nothing", ""),
    State.AWAITING_CREDENTIAL: (
        "accepted without a credential; `auth.required` was sent",
        "the client's first message",
        "`AUTH_TIMEOUT`, then closed (4408)",
    ),
    State.AUTHENTICATING: (
        "a token of the handshake or of the first message is being verified",
        "the token store",
        "`VERIFY_TIMEOUT`, then closed (4503)",
    ),
    State.AUTHENTICATED: (
        "the token is valid, and the application has the socket",
        "nothing",
        "the token's expiry and `MAX_CONNECTION_AGE`, then closed (4419)",
    ),
    State.REAUTHENTICATING: (
        "as authenticated, while a fresh token is being verified",
        "the token store",
        "`VERIFY_TIMEOUT`, then authenticated as before",
    ),
    State.CLOSED: ("refused, closed, or left by the client", "nothing", ""),
}

ALWAYS = {
    "No application starts before its user is known.": "A socket comes to *authenticated* for the "
    'first time by the event "admitted" only.',
    "A socket never changes its user.": "`Lifecycle.admit` closes a socket whose fresh token is "
    "another user's, with 4409.",
    "A reauthentication without a verdict changes nothing.": '"no verdict" leads back to '
    "*authenticated*, with the old token and its deadline.",
    "No socket waits for ever for its client or for a token store.": "Each state that waits has a "
    "deadline (see the first table); the verifier enforces that of a handshake's own token.",
    "A closed socket stays closed, and sends nothing.": "*closed* has no way out, and inputs that "
    "come too late return no outputs.",
    "A mistake in the library moves no socket.": "`Lifecycle` looks each event up in the table "
    "before it changes the state, and raises an error if it is not there.",
}

CAUSES = {
    Event.AWAIT: "the library",
    Event.PRESENT: "the client",
    Event.ADMIT: "the token store; for an anonymous client, the site's settings",
    Event.KEEP: "the token store, or the time",
    Event.END: "anybody: the client, the application, an operator, the token store, the time",
}

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

TOKEN, FRESH = '{"type":"auth","token":"t1"}', '{"type":"auth","token":"t2"}'
REVOKED = TokenAuthError(CloseReason.TOKEN_REVOKED)

# Each entry has a description, the method of `Lifecycle` that reports it, and its arguments.
EXAMPLE: Sequence[tuple[str, str, dict[str, Any]]] = (
    ("the handshake holds no credential", "await_credential", {"now": 0}),
    ("the client sends its token", "text", {"frame": TOKEN, "now": 1}),
    ("the token store finds user 7", "admit", {"identity": 7, "lifetime": 60, "now": 2}),
    ("the expiry is near", "tick", {"now": 32}),
    ("the client sends a fresh token", "text", {"frame": FRESH, "now": 40}),
    ("the token store finds user 7", "admit", {"identity": 7, "lifetime": 3600, "now": 41}),
    ("the client sends a frame", "text", {"frame": '{"hello":"world"}', "now": 50}),
    ("an operator revokes the token", "end", {"error": REVOKED}),
    ("a frame arrives too late", "text", {"frame": TOKEN, "now": 61}),
)

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
        states="\n".join(f"| {state} | {' | '.join(STATES[state])} |" for state in State),
        rows="\n".join(f"| {start} | {event} | {end} |" for start, event, end in MOVES),
        events="\n".join(f"| {event} | {CAUSES[event]} | {MEANINGS[event]} |" for event in Event),
        always="\n".join(f"| {rule} | {reason} |" for rule, reason in ALWAYS.items()),
        example="\n".join(_example()),
    )


def _example() -> Iterator[str]:
    """Run the example, and yield a row for each of its inputs."""
    life = Lifecycle(Rules())
    for happens, method, arguments in EXAMPLE:
        outputs = getattr(life, method)(**arguments)
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
        returned = "None: it is for the application" if outputs is None else _outputs(outputs)
        yield f"| {happens} | `{method}({shown})` | {life.state} | {returned or 'nothing'} |"


def _shown(value: Any) -> str:
    return "TokenAuthError(TOKEN_REVOKED)" if value is REVOKED else repr(value)


def _outputs(outputs: Sequence[Output]) -> str:
    return ", ".join(map(_output, outputs))


def _output(output: Output) -> str:
    match output:
        case Send(text) | Warn(text):
            return f"{type(output).__name__} `{text}`"
        case Verify():
            return "Verify the token"
        case Close(code):
            return f"Close with {code.close_code}"
    return type(output).__name__


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
