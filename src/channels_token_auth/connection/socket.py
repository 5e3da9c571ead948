"""Run one socket: pass inputs to its two state machines, and carry out their outputs.

`Lifecycle` decides about the authentication, `Exchange` about the accept and the end; both are
without I/O. A `Socket` sends and closes over a `Transport`.
"""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import assert_never

from ..clock import clock
from ..core.asgi_types import Message, Scope
from ..core.close_codes import CloseReason
from ..core.counting.traffic import Traffic
from ..core.credentials import Secret
from ..core.errors import TokenAuthError
from ..core.handshake.extraction import Handshake
from ..core.handshake.refusal import close_message
from ..core.lifecycle import (
    IDLE_RETRY_AFTER,
    Abandon,
    Act,
    Close,
    Exchange,
    Idle,
    Lifecycle,
    Output,
    Stage,
    State,
    Step,
    Verify,
    Warn,
)
from ..core.lifecycle import Send as SendText
from ..core.limits import Limit
from ..limits.exceeded import exceeded_by
from ..limits.waiting import Place
from ..node.member import Member
from ..node.node import Node
from ..tasks import spawn
from ..verification.route import Route
from .transport import Transport

__all__ = ["MAX_NOTICES", "Socket"]

# Looked up for every frame: before Python 3.12 an enum's attribute costs ten times as much.
_CLOSING, _LEAVE, _AUTHENTICATED = Stage.CLOSING, Step.LEAVE, State.AUTHENTICATED

MAX_NOTICES = 8
"""Most events that are kept for a busy application. The oldest are dropped."""


class Socket(Member):
    """One socket, from its opening handshake on. Belongs to one event loop."""

    __slots__ = (
        "_due", "_idle", "_verifier", "disconnect", "exchange", "handshake", "left", "life",
        "node", "notices", "place", "traffic", "transport",
    )  # fmt: skip

    def __init__(
        self, node: Node, route: Route, handshake: Handshake, scope: Scope, transport: Transport
    ) -> None:
        self.node = node
        super().__init__(node.name, route, scope)
        self.handshake = handshake
        self.transport = transport
        self.life = Lifecycle(route.rules)
        self.exchange = Exchange()
        self.disconnect: Message | None = None
        """The disconnect that the application gets in the stage `closing`."""
        self.left: CloseReason | int | None = None
        """The library's reason for the end, or the close code of the client or the application."""
        self.notices: deque[Message] | None = None
        """The library's events that the application has not received yet."""
        self.traffic: Traffic | None = None
        """The counter of its user's frames, from the admission on; None: they are not counted."""
        self.place: Place | None = None
        """Its place among the sockets that are not authenticated yet."""
        self._due: float | None = None
        self._idle: Idle | None = None
        self._verifier: asyncio.Task[None] | None = None

    @abstractmethod
    async def verify(self, secret: Secret) -> None:
        """Verify a token that came in a message, and act on the verdict."""

    @abstractmethod
    def note_violation(self, code: CloseReason) -> None:
        """Note that a message of the client itself closes the socket."""

    @property
    def sees_codes(self) -> bool:
        """True if a refusal accepts the client first, so that it receives the code."""
        return self.route.sees_codes(self.handshake)

    # -- Called by its node

    def close(self, code: CloseReason) -> None:
        """Close it with this code. Returns at once; from now on no frame passes."""
        self.end(TokenAuthError(code))

    def renew_by(self, deadline: float) -> None:
        """Have its client send a fresh token until `deadline`, an epoch time; else close it."""
        self.act_later(self.life.shorten(deadline - clock.calendar(), clock.steady()))
        self.watch()

    @property
    def must_renew(self) -> bool:
        """True while its old token is revoked, and its client may still send a fresh one."""
        return self.life.must_renew

    @property
    def next_tick(self) -> float | None:
        """The time of its next deadline on the steady clock, None for none."""
        due = self.life.next_tick
        if self._idle is None or self.life.state is State.CLOSED:
            return due
        return self._idle.due if due is None else min(due, self._idle.due)

    def tick(self) -> None:
        """Act on a deadline that has passed."""
        now = clock.steady()
        self.act_later(self.life.tick(now))
        if self._idle is None or now < self._idle.due:
            return
        if self._idle.tick(now):
            self.end(exceeded_by(self.route.limits, Limit.IDLE, IDLE_RETRY_AFTER))
        elif self.exchange.stage is Stage.OPEN and not self._idle.is_listening:
            # The application is not receiving: only a call of ours shows whether the client sends.
            self.transport.inbox.listen()

    def expect_frames(self, now: float) -> None:
        """Begin to close it after a time without frames, if the site has set `IDLE`."""
        if (seconds := self.route.limits.idle) is not None:
            self._idle = Idle(seconds, now)
            self.transport.inbox.watch(self._idle)

    def jump(self, seconds: float) -> None:
        """Bring the expiry forward: the calendar went ahead of the steady clock by so much."""
        self.life.jump(seconds)

    # -- Called with outputs of the state machines

    def notify(self, event: Message) -> None:
        """Send the application an event of the library, if it has subscribed."""
        if self.is_subscribed:
            self.notices = self.notices or deque(maxlen=MAX_NOTICES)
            self.notices.append(event)
            self.transport.inbox.wake()

    def read(self, event: Message) -> Sequence[Output] | None:
        """Handle an event of the client. Return None if it is for the application."""
        if self.exchange.stage is _CLOSING:
            return ()
        text = event.get("text")
        if text is not None:
            is_read = self.life.speaks or self.life.state is not _AUTHENTICATED
            outputs = self.life.text(text, clock.steady()) if is_read else None
        elif event["type"] == "websocket.receive":
            outputs = self.life.binary()
        else:
            self.exchange.take(_LEAVE)
            self.life.leave()
            self.left = event.get("code")
            self.release_seat()
            return None
        if outputs is None and self.traffic is not None:
            # `auth.*` messages do not count: no limit must stop a client from renewing its token.
            excess = self.traffic.take(event, clock.steady())
            return self.life.end(exceeded_by(self.route.limits, *excess)) if excess else None
        if outputs and isinstance(outputs[-1], Close):
            self.note_violation(outputs[-1].code)
        return outputs

    async def perform(self, outputs: Sequence[Output]) -> None:
        """Carry out outputs of the lifecycle, and send their messages."""
        await self.transport.send_all(self.act(outputs))

    def act_later(self, outputs: Sequence[Output]) -> None:
        """Carry out outputs outside of a task, and send their messages in a new one."""
        if messages := self.act(outputs):
            spawn(self.transport.send_all(messages))

    def end(self, error: TokenAuthError) -> None:
        """Close it, or refuse its handshake. Returns at once."""
        self.act(self.life.end(error))

    def refusal(self, error: TokenAuthError) -> Sequence[Message]:
        """Return the answer to its opening handshake."""
        return self.route.refusal(error, self.handshake, self._scope)

    def act(self, outputs: Sequence[Output]) -> list[Message]:
        """Carry out outputs of the lifecycle. Return the messages that the caller must send."""
        messages: list[Message] = []
        for output in outputs:
            match output:
                case SendText(text):
                    messages.append({"type": "websocket.send", "text": text})
                case Warn(text, expires_in):
                    messages.append({"type": "websocket.send", "text": text})
                    self.notify({"type": "auth.expiring", "expires_in": expires_in})
                case Verify(secret):
                    self._verifier = asyncio.create_task(self.verify(secret))
                case Abandon():
                    if self._verifier is not None:
                        self._verifier.cancel()
                case Close(code, retry_after, detail):
                    self.shut(TokenAuthError(code, retry_after, detail), messages)
                    messages = []
                case _:
                    assert_never(output)
        if outputs:
            self.watch()
        return messages

    def watch(self) -> None:
        """Have `tick` called at the next deadline. Does nothing if that has not changed."""
        due = self.life.next_tick if self._idle is None else self.next_tick
        if due != self._due:
            self._due = due
            self.node.deadlines.watch(self, due)

    def release_seat(self) -> None:
        """Count it no more towards the limit of its user's sockets, if the route has one."""
        if self.route.limits_sockets:
            self.node.seats.release(self)

    def stop(self) -> None:
        """End its deadlines and its verification: its application has ended."""
        self.life.leave()
        if self._due is not None:
            self.watch()
        if self._verifier is not None:
            self._verifier.cancel()

    def shut(self, error: TokenAuthError, last_words: Sequence[Message]) -> None:
        """Close it, or refuse its handshake, unless the application is closing it already."""
        act = self.exchange.take(Step.END)
        if act is Act.DROP:  # the application is closing it already
            return
        self.left = error.code
        # Now, not when the application has ended: the user's next socket may need the seat.
        self.release_seat()
        self.disconnect = {**close_message(error.code), "type": "websocket.disconnect"}
        answer = [*last_words, close_message(error.code)]
        self.transport.shut(self.refusal(error) if act is Act.REFUSE else answer)
