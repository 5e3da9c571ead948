"""The server's `receive` and `send`, and how a socket is closed from outside its application.

Servers disagree about a close that another task sends: it may not leave before a frame arrives, or
wait for the client. So closing is our own act: the pending receive is cancelled, and the last
messages are sent by a task of its own with a deadline. Nothing here knows what is sent.
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
"""Seconds the server gets to send a close. It waits for nothing that a client could withhold."""


class Transport:
    """One socket's way to its server."""

    __slots__ = ("_beside", "_closer", "_loop", "_receive", "_send", "_sending", "inbox")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self.inbox = Inbox(receive, self._loop)
        self._receive = receive
        self._send = send
        self._sending = CancelScope(self._loop)
        self._beside: set[CancelScope] | None = None
        self._closer: asyncio.Task[None] | None = None

    async def send(self, message: Message) -> None:
        """Send for the application. A close ends the wait for a client that does not read."""
        if self._sending.is_pending:
            await self._send_beside(message)
        else:
            with self._sending:
                await self._send(message)

    async def _send_beside(self, message: Message) -> None:
        """Send while another task is sending."""
        self._beside = self._beside or set()
        with CancelScope(self._loop) as scope:
            self._beside.add(scope)
            try:
                await self._send(message)
            finally:
                self._beside.discard(scope)

    async def tell(self, messages: Sequence[Message]) -> None:
        """Send in the library's own name on an open socket, to a client that may have left."""
        # Each server raises something else for a client that has left.
        with contextlib.suppress(Exception):
            for message in messages:
                await self.send(message)

    async def answer(self, messages: Sequence[Message]) -> None:
        """Send what begins or ends the socket, within a deadline: some servers do not return."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                for message in messages:
                    await self._answer(message)

    async def _answer(self, message: Message) -> None:
        try:
            await self._send(message)
        except Exception as error:
            code = message.get("code", 1000)
            if message["type"] != "websocket.close" or _is_sendable(code):
                raise
            # An application's own code. daphne sends none of these: its socket would stay open.
            await self._send(close_message(CloseReason.APPLICATION_FAILED))
            log_error(
                f"The server cannot send the close code {code}: sent 4500.", error, brief=True
            )

    def shut(self, last_words: Sequence[Message]) -> asyncio.Task[None]:
        """Send the last messages and close, whatever the application does at this moment."""
        self.inbox.close()
        self._closer = asyncio.create_task(self._shut(last_words))
        return self._closer

    async def _shut(self, last_words: Sequence[Message]) -> None:
        await self.answer(last_words)
        for scope in (self._sending, *(self._beside or ())):
            scope.interrupt()

    async def finish(self) -> None:
        """Wait until the close was sent, at most for its deadline."""
        self.inbox.close()
        if self._closer:
            await self._closer
            await self._drain()

    async def _drain(self) -> None:
        """Take what the client still sends: hypercorn leaks a reader whose queue stays full."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while (await self._receive())["type"] != "websocket.disconnect":
                    pass


def _is_sendable(code: object) -> bool:
    """Return whether every server can send the close code."""
    return code == 1000 or (isinstance(code, int) and 3000 <= code <= 4999)
