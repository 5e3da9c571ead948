"""The ASGI exchange of one socket: which side accepted it, and which side knows of its end.

Theory of operation
===================

ASGI calls an application with two callables, `receive` and `send`, which the server implements.
This library is between the two. It implements both callables for the application, and it calls
those of the server in the application's place:

    client  ⇄  server  ⇄  this library  ⇄  application

So there are two ASGI connections, which may be in different states. After a first message the
client's handshake was accepted long before the application gets its `websocket.connect`. When a
token is revoked, the client's socket closes while the application still waits for its next frame.
One state of one socket cannot describe both sides; the *stage* of the exchange does:

- *handshake*: the client waits for the answer to its opening handshake;
- *accepted*: the library accepted it, to receive a first message; the application has not;
- *open*: the application accepted it;
- *denying*: the application is sending an HTTP response instead of accepting;
- *closing*: the client's side is closed; the application has to get its `websocket.disconnect`;
- *over*: the application has got its `websocket.disconnect`, or has ended.

Each message of the application, and each act of the library and of the client, is a *step*. `STEPS`
lists for each stage and step how the library reacts (the *act*) and which stage follows. A step
that is not in the table is a bug: it raises an error, and the stage stays as it was. The table and
the diagram in the documentation are generated from it.

The table shows three guarantees:

1. The application gets exactly one `websocket.disconnect`: only `DELIVER` and `LEAVE` lead to
   *over* while it runs, and no other step leads out of *closing*.
2. After a close no frame passes: in *closing* and *over* every step but these is dropped.
3. No accepted socket stays open without an application: `RETURN` in *accepted* and *open* fails the
   socket, which closes it.

The content of messages (the code, the subprotocol) is not decided here. The authentication has a
state machine of its own: see `states`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

__all__ = ["STEPS", "Act", "Exchange", "Stage", "Step"]


class Stage(StrEnum):
    """The stage of an exchange: see the list above."""

    HANDSHAKE = "handshake"
    ACCEPTED = "accepted"
    OPEN = "open"
    DENYING = "denying"
    CLOSING = "closing"
    OVER = "over"


class Step(StrEnum):
    """A message of the application, or an act of the library or of the client."""

    AWAIT = "library accepts, for a first message"
    END = "library closes"
    DELIVER = "library delivers the disconnect"
    LEAVE = "client leaves"
    ACCEPT = "application accepts"
    SEND = "application sends a frame"
    CLOSE = "application closes"
    RESPOND = "application begins an HTTP response"
    BODY = "application sends a part of it"
    FINISH = "application ends it"
    RETURN = "application ends"


class Act(StrEnum):
    """The library's answer to a step."""

    FORWARD = "passes it on"
    DROP = "drops it"
    ACCEPT = "passes it on, with our subprotocol if the application chose none"
    DENY = "refuses the client in the application's name"
    CLOSE = "closes with the code"
    REFUSE = "answers the handshake with the refusal"
    FAIL = "closes with 4500"
    COMPLETE = "ends the HTTP response"


Rules = Mapping[Step, tuple[Act, Stage]]

_DROPPED = (Step.END, Step.LEAVE, Step.ACCEPT, Step.SEND, Step.CLOSE)
_RESPONSES = (Step.RESPOND, Step.BODY, Step.FINISH)

STEPS: dict[Stage, Rules] = {
    Stage.HANDSHAKE: {
        Step.AWAIT: (Act.FORWARD, Stage.ACCEPTED),
        Step.END: (Act.REFUSE, Stage.CLOSING),
        Step.LEAVE: (Act.FORWARD, Stage.OVER),
        Step.ACCEPT: (Act.ACCEPT, Stage.OPEN),
        Step.SEND: (Act.FORWARD, Stage.HANDSHAKE),  # the server objects
        Step.CLOSE: (Act.DENY, Stage.CLOSING),
        Step.RESPOND: (Act.FORWARD, Stage.DENYING),
        Step.BODY: (Act.FORWARD, Stage.HANDSHAKE),
        Step.FINISH: (Act.FORWARD, Stage.HANDSHAKE),
        Step.RETURN: (Act.FAIL, Stage.HANDSHAKE),
    },
    Stage.ACCEPTED: {
        Step.END: (Act.CLOSE, Stage.CLOSING),
        Step.LEAVE: (Act.FORWARD, Stage.OVER),
        Step.ACCEPT: (Act.DROP, Stage.OPEN),
        Step.SEND: (Act.FORWARD, Stage.ACCEPTED),
        Step.CLOSE: (Act.DENY, Stage.CLOSING),
        Step.RESPOND: (Act.DENY, Stage.CLOSING),
        Step.BODY: (Act.FORWARD, Stage.ACCEPTED),
        Step.FINISH: (Act.FORWARD, Stage.ACCEPTED),
        Step.RETURN: (Act.FAIL, Stage.ACCEPTED),
    },
    Stage.OPEN: {
        Step.END: (Act.CLOSE, Stage.CLOSING),
        Step.LEAVE: (Act.FORWARD, Stage.OVER),
        Step.ACCEPT: (Act.DROP, Stage.OPEN),
        Step.SEND: (Act.FORWARD, Stage.OPEN),
        Step.CLOSE: (Act.CLOSE, Stage.CLOSING),
        **dict.fromkeys(_RESPONSES, (Act.FORWARD, Stage.OPEN)),
        Step.RETURN: (Act.FAIL, Stage.OPEN),
    },
    Stage.DENYING: {
        Step.END: (Act.DROP, Stage.DENYING),  # the client is being refused as it is
        Step.LEAVE: (Act.FORWARD, Stage.OVER),
        **dict.fromkeys((Step.ACCEPT, Step.SEND, Step.CLOSE), (Act.FORWARD, Stage.DENYING)),
        Step.RESPOND: (Act.FORWARD, Stage.DENYING),
        Step.BODY: (Act.FORWARD, Stage.DENYING),
        Step.FINISH: (Act.FORWARD, Stage.CLOSING),
        Step.RETURN: (Act.COMPLETE, Stage.OVER),
    },
    Stage.CLOSING: {
        Step.DELIVER: (Act.FORWARD, Stage.OVER),
        **dict.fromkeys((*_DROPPED, *_RESPONSES), (Act.DROP, Stage.CLOSING)),
        Step.RETURN: (Act.DROP, Stage.OVER),
    },
    Stage.OVER: dict.fromkeys((*_DROPPED, *_RESPONSES, Step.RETURN), (Act.DROP, Stage.OVER)),
}

_STEP_OF = {
    "websocket.accept": Step.ACCEPT,
    "websocket.close": Step.CLOSE,
    "websocket.http.response.start": Step.RESPOND,
    "websocket.http.response.body": Step.BODY,
}


# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_HANDSHAKE = Stage.HANDSHAKE
_SEND, _RESPOND, _BODY = Step.SEND, Step.RESPOND, Step.BODY


class Exchange:
    """The exchange of one socket. Call `take` for each step, and do what the returned act means."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = _HANDSHAKE

    def take(self, step: Step) -> Act:
        """Go on to the next stage. Raises RuntimeError for a step that this stage does not list."""
        try:
            act, self.stage = STEPS[self.stage][step]
        except KeyError:
            sentence = f"The stage '{self.stage}' of an exchange does not allow: {step}"
            raise RuntimeError(sentence) from None
        return act

    def take_message(self, message: Mapping[str, Any], *, is_page: bool) -> Act:
        """Take the step of a message of the application.

        `is_page`: the client cannot read an HTTP response. One that begins is a denial then.
        """
        # Unknown types of messages are extensions of ASGI: handle them like frames.
        step = _STEP_OF.get(message["type"], _SEND)
        if step is _BODY and not message.get("more_body"):
            step = Step.FINISH
        if step is _RESPOND and is_page and self.stage is _HANDSHAKE:
            step = Step.CLOSE
        return self.take(step)
