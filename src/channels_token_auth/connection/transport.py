"""Call the server's `receive` and `send`, and close a socket from outside its application.

Servers differ in how they send a close while another task receives: some send it only after the
next frame from the client, others wait for the client's close frame (RFC 6455 §5.5.1). So the
library cancels the pending `receive`, and sends the last messages in a separate task with a
deadline. This module does not depend on the content of the messages.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from ..cancel_scope import CancelScope
from ..core.asgi_types import Message, Receive, Send
from ..core.close_codes import CloseReason
from ..core.handshake.refusal import close_message
from ..observability.error_log import log_error
from .inbox import Inbox

__all__ = ["CLOSE_TIMEOUT", "Transport"]

CLOSE_TIMEOUT = 1.0
"""Seconds that the server gets to send a close, so that no client can delay it for longer."""


class Transport(CancelScope):
    """The server's side of one socket.

    It is itself the scope of the application's send, which saves an object for each socket.
    """

    __slots__ = ("_closer", "_extra_scopes", "forward", "inbox")

    def __init__(self, receive: Receive, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.inbox = Inbox(receive, loop)
        self.forward = send
        """The server's own. Await it in a `with` block of the transport, if no task is in it."""
        self._extra_scopes: set[CancelScope] | None = None
        self._closer: asyncio.Task[None] | None = None

    async def send(self, message: Message) -> None:
        """Send for the application. `shut` interrupts a send to a client that does not read."""
        if self.task is not None:  # a send is pending
            await self._send_concurrently(message)
        else:
            with self:
                await self.forward(message)

    async def _send_concurrently(self, message: Message) -> None:
        """Send while another task is sending, in a second scope: one scope serves one task."""
        self._extra_scopes = self._extra_scopes or set()
        with CancelScope(self.loop) as scope:
            self._extra_scopes.add(scope)
            try:
                await self.forward(message)
            finally:
                self._extra_scopes.discard(scope)

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Send messages of the library on an open socket. The client may have left already."""
        # Servers raise different exceptions for a client that has left.
        with contextlib.suppress(Exception):
            for message in messages:
                await self.send(message)

    async def answer(self, messages: Sequence[Message]) -> None:
        """Send the messages that open or close the socket, within a deadline.

        Some servers do not return from a close while the client does not answer it.
        """
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                for message in messages:
                    await self._answer(message)

    async def _answer(self, message: Message) -> None:
        try:
            await self.forward(message)
        except Exception as error:
            code = message.get("code", 1000)
            if message["type"] != "websocket.close" or _is_sendable(code):
                raise
            # The application chose the code. daphne raises for it, and would leave the socket open.
            await self.forward(close_message(CloseReason.APPLICATION_FAILED))
            log_error(
                f"The server cannot send the close code {code}: sent 4500.",
                error,
                brief=True,
                often=True,
            )

    def shut(self, last_words: Sequence[Message]) -> asyncio.Task[None]:
        """Send the last messages and close, whatever the application does at this moment."""
        self.inbox.close()
        self._closer = asyncio.create_task(self._shut(last_words))
        return self._closer

    async def _shut(self, last_words: Sequence[Message]) -> None:
        await self.answer(last_words)
        # Interrupt other sends only now: the last messages must follow those already being sent.
        for scope in (self, *(self._extra_scopes or ())):
            scope.interrupt()

    def end(self) -> bool:
        """Stop to receive. Return True if a close is being sent: then await `finish`."""
        self.inbox.close()
        return self._closer is not None

    async def finish(self) -> None:
        """Wait until the close was sent, at most for its deadline."""
        if self._closer:
            await self._closer
            await self._drain()

    async def _drain(self) -> None:
        """Receive until the disconnect: hypercorn leaks a reader task whose queue stays full."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while (await self.inbox.receive())["type"] != "websocket.disconnect":
                    pass


def _is_sendable(code: object) -> bool:
    """Return True if every server can send the close code."""
    return code == 1000 or (isinstance(code, int) and 3000 <= code <= 4999)
