"""One socket: what passes between the server and the application, and how it is shut from outside.

Servers disagree on what a close from another task does (it may not leave before a frame comes, or
wait for the peer), so a close here is our own act: the pending receive is cancelled, the close is
sent by a task of its own with a deadline, and the application hears of it exactly once.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, cast

from ..core.close_codes import Code
from ..core.extraction import PROTOCOL
from ..core.refusal import close_message
from .asgi import Application, Message, Receive, Scope, Send

__all__ = ["CLOSE_TIMEOUT", "Connection"]

CLOSE_TIMEOUT = 1.0
"""Seconds the server gets to send a close. It waits for nothing that a peer could withhold."""

live: set["Connection"] = set()
"""The sockets of this process that an application holds."""


class Connection:
    """A socket that passed the door. Belongs to one event loop."""

    __slots__ = (
        "_accepted", "_answer", "_closer", "_connect", "_farewell", "_is_over", "_is_told",
        "_offers_protocol", "_receiving", "_sending", "_server_receive", "_server_send", "scope",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        connect: Message,
        refuse: Callable[[Code], Sequence[Message]],
    ) -> None:
        """`connect` is the event already received; `refuse` the answer before accept."""
        self.scope = scope
        self._server_receive = receive
        self._server_send = send
        self._connect: Message | None = connect
        self._answer = refuse
        self._offers_protocol = PROTOCOL in scope["subprotocols"]
        self._accepted = False
        self._is_over = False
        self._is_told = False
        self._farewell: Message | None = None
        self._closer: asyncio.Task[None] | None = None
        self._receiving: _Wait | None = None
        self._sending: set[_Wait] = set()

    async def run(self, application: Application) -> None:
        """Let the application have the socket, for as long as both live."""
        live.add(self)
        try:
            await application(self.scope, self.receive, self.send)
        finally:
            live.discard(self)
            self._is_over = True
            if self._closer:
                await self._closer
                await self._drain()

    def close(self, code: Code) -> None:
        """Shut the socket with our code. Returns at once; from now on nothing passes."""
        if self._is_over or self._farewell:
            return
        self._farewell = {**close_message(code), "type": "websocket.disconnect"}
        if self._receiving:
            self._receiving.interrupt()
        messages = [close_message(code)] if self._accepted else self._answer(code)
        self._closer = asyncio.create_task(self._say(messages))

    async def receive(self) -> Message:
        """The application's `receive`. After a disconnect there is nothing to wait for."""
        if self._is_told:
            raise RuntimeError("The application was told that its socket is closed, and receives.")
        event = await self._next()
        self._is_told = event["type"] == "websocket.disconnect"
        self._is_over = self._is_over or self._is_told
        return event

    async def _next(self) -> Message:
        if self._connect:
            event, self._connect = self._connect, None
            return event
        if not self._farewell:
            with _Wait() as self._receiving:
                event = await self._server_receive()
            self._receiving = None
        return self._farewell or event

    async def send(self, message: Message) -> None:
        """The application's `send`."""
        if self._farewell:
            return
        match message["type"]:
            case "websocket.accept":
                self._accepted = True
                message = self._with_protocol(message)
            case "websocket.close":
                self._is_over = True
        with _Wait() as wait:
            self._sending.add(wait)
            try:
                await self._server_send(message)
            finally:
                self._sending.discard(wait)

    def _with_protocol(self, accept: Message) -> Message:
        """The consumer's choice stands; else the protocol that the client offered us."""
        if accept.get("subprotocol") or not self._offers_protocol:
            return accept
        return {**accept, "subprotocol": PROTOCOL}

    async def _say(self, messages: Sequence[Message]) -> None:
        """Send the last messages, and release an application that a dead peer holds in `send`."""
        # What a server raises here says that the peer has gone, each in its own words.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                for message in messages:
                    await self._server_send(message)
        for wait in self._sending:
            wait.interrupt()

    async def _drain(self) -> None:
        """Take what the client still sends: hypercorn leaks a reader whose queue stays full."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while (await self._server_receive())["type"] != "websocket.disconnect":
                    pass


class _Wait:
    """An await that can be called off from outside, as `asyncio.timeout` does it.

    Leaves the block silently when it was we who cancelled, and nobody else did.
    """

    __slots__ = ("_cancelling", "_interrupted", "_task")

    def __enter__(self) -> Self:
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._interrupted = False
        return self

    def interrupt(self) -> None:
        """Cancel the await."""
        self._interrupted = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> bool:
        if not self._interrupted:
            return False
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError
