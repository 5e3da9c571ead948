"""Draw reference/exchange.md and its picture: `python -m docs.make_exchange`.

Both come from the table of steps in the code, so they cannot be wrong.
"""

from collections import defaultdict
from pathlib import Path

from channels_token_auth.core.lifecycle import STEPS, Act, Stage, Step
from docs.drawing import Arrow, draw

REFERENCE = Path(__file__).parent / "reference"
PAGE = REFERENCE / "exchange.md"
PICTURE = REFERENCE / "exchange.svg"

TEXT = """\
# The ASGI exchange of a socket

<!-- Made by `python -m docs.make_exchange` from the library's table of steps. -->

The library stands between the server and the application. Towards the application it plays the
server, towards the server the application, and the two conversations may be at different points:
after a first message the client was accepted long before the application is asked; when a token is
revoked, the client's side closes while the application still waits for a frame. The stage is the
point that both have reached.

![Stages of the exchange, and the steps that lead from one to the next](exchange.svg)

| stage | meaning |
|---|---|
{stages}

What the library does about each step:

| in the stage | step | the library | next stage |
|---|---|---|---|
{rows}

In *closing* and *over* every other step is dropped: after a close nothing passes, and the
application gets exactly one `websocket.disconnect`. An application that ends without a close fails
its socket, which closes it with 4500, so that no socket stays open without an application.

The authentication of the socket is [another machine](lifecycle.md).
"""

MEANINGS = {
    Stage.HANDSHAKE: "the client waits for the answer to its opening handshake",
    Stage.ACCEPTED: "the library accepted it, to receive a first message",
    Stage.OPEN: "the application accepted it",
    Stage.DENYING: "the application sends an HTTP response instead",
    Stage.CLOSING: "closed towards the client; the application still has to get its disconnect",
    Stage.OVER: "the application knows",
}

PLACES = {
    Stage.HANDSHAKE: (110, 140),
    Stage.ACCEPTED: (440, 40),
    Stage.OPEN: (770, 140),
    Stage.DENYING: (110, 380),
    Stage.CLOSING: (440, 320),
    Stage.OVER: (770, 380),
}

# What a label in the picture says instead of the step's whole name.
SHORT = {
    Step.AWAIT: "library accepts",
    Step.DELIVER: "disconnect handed over",
    Step.RESPOND: "HTTP response begins",
    Step.FINISH: "response complete",
}


def page() -> str:
    """Return the whole page."""
    rows = [
        f"| {stage} | {step} | {act} | {following if following is not stage else '–'} |"
        for stage, rules in STEPS.items()
        for step, (act, following) in rules.items()
        if not (stage in (Stage.CLOSING, Stage.OVER) and act is Act.DROP and following is stage)
    ]
    stages = [f"| {stage} | {meaning} |" for stage, meaning in MEANINGS.items()]
    return TEXT.format(rows="\n".join(rows), stages="\n".join(stages))


def picture() -> str:
    """Return the stages and steps as an SVG image."""
    labels: dict[tuple[Stage, Stage], list[str]] = defaultdict(list)
    for stage, rules in STEPS.items():
        for step, (_, following) in rules.items():
            if following is not stage:
                labels[stage, following].append(step)
    arrows = [_arrow(*ends, label) for ends, label in labels.items()]
    return draw(PLACES, arrows, width=880, height=430)


def _arrow(start: Stage, end: Stage, steps: list[Step]) -> Arrow:
    label = [SHORT.get(step, step) for step in steps]
    if end is Stage.OVER:
        # A client may leave at any stage, and an application may end: one label each is enough.
        label = [label[0]] if start in (Stage.OPEN, Stage.CLOSING) else []
    at = {(Stage.ACCEPTED, Stage.CLOSING): 0.7, (Stage.HANDSHAKE, Stage.OPEN): 0.3}
    return Arrow(start=start, end=end, label=label, at=at.get((start, end), 0.5))


if __name__ == "__main__":
    PAGE.write_text(page())
    PICTURE.write_text(picture())
