"""What passes to and from the server, and how a socket is shut from outside.

Servers disagree on what a close from another task does (it may not leave before a frame comes, or
wait for the peer). So a close is our own act: the pending receive is cancelled, and the last words
are sent by a task of its own with a deadline. Nothing here knows what is said.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from ..cancel_scope import CancelScope
from ..core.asgi_types import Message, Receive, Send
from ..tasks import spawn
from .inbox import Inbox

__all__ = ["CLOSE_TIMEOUT", "Transport"]

CLOSE_TIMEOUT = 1.0
"""Seconds the server gets to send a close. It waits for nothing that a peer could withhold."""


class Transport:
    """The server's `receive` and `send`, out of which one can be called."""

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
        """Send for the application. A close ends it where a peer that does not read holds it up."""
        if self._sending.is_pending:
            await self._send_beside(message)
        else:
            with self._sending:
                await self._send(message)

    async def _send_beside(self, message: Message) -> None:
        """The same, while another task of the application sends."""
        self._beside = self._beside or set()
        with CancelScope(self._loop) as wait:
            self._beside.add(wait)
            try:
                await self._send(message)
            finally:
                self._beside.discard(wait)

    async def say(self, messages: Sequence[Message]) -> None:
        """Send in our own name, to a peer that may have gone."""
        if not messages:
            return
        # Each server raises something else for that, and some do not come back.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                for message in messages:
                    await self._send(message)

    def say_later(self, messages: Sequence[Message]) -> None:
        """The same, from outside a task."""
        spawn(self.say(messages))

    def shut(self, last_words: Sequence[Message]) -> asyncio.Task[None]:
        """Say the last words, whatever the application does at this moment."""
        self.inbox.close()
        self._closer = asyncio.create_task(self._shut(last_words))
        return self._closer

    async def _shut(self, last_words: Sequence[Message]) -> None:
        await self.say(last_words)
        for wait in (self._sending, *(self._beside or ())):
            wait.interrupt()

    async def finish(self) -> None:
        """Wait until a close was said, as long as it may take."""
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
