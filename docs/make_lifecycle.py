"""Draw reference/lifecycle.md from the table of transitions: `python -m docs.make_lifecycle`."""

from pathlib import Path

from channels_token_auth.core.lifecycle import TRANSITIONS, Event, State

PAGE = Path(__file__).parent / "reference" / "lifecycle.md"

TEXT = """\
# The life of a socket

<!-- Made by `python -m docs.make_lifecycle` from `TRANSITIONS` in core/lifecycle.py. -->

```mermaid
{diagram}
```

| from | event | to |
|---|---|---|
{rows}

An event that a state has no row for is a bug in the library: an error, and the state stays. To a
socket that is closed, whatever happens has happened too late, and is dropped.

| event | what happened |
|---|---|
{events}

What a client sees of each state is in [the protocol](../../spec/PROTOCOL.md#lifecycle).
"""

MEANINGS = {
    Event.AWAIT: "the handshake holds no credential, and a first message may bring one",
    Event.PRESENT: "the handshake or an `auth` message holds a token, which is now verified",
    Event.ADMIT: "the verdict is good, or the site lets in anonymous clients",
    Event.KEEP: "a reauthentication could not be judged (`unavailable`, `rate_limited`): as before",
    Event.END: "the socket was refused, ended by us, or closed by the peer or the application",
}

MOVES = [
    (start, event, end) for start, known in TRANSITIONS.items() for event, end in known.items()
]


def page() -> str:
    """The whole page."""
    return TEXT.format(
        diagram="\n".join(diagram()),
        rows="\n".join(f"| {start} | {event} | {end} |" for start, event, end in MOVES),
        events="\n".join(f"| {event} | {MEANINGS[event]} |" for event in Event),
    )


def diagram() -> list[str]:
    """Mermaid's lines: a life begins in the first state, and ends where nothing leads on."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(State))}"]
    lines += [f"    {start} --> {end}: {event}" for start, event, end in MOVES]
    return lines + [f"    {state} --> [*]" for state, known in TRANSITIONS.items() if not known]


if __name__ == "__main__":
    PAGE.write_text(page())
