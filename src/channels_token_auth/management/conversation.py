"""Hold one WebSocket of the site's application in this process, in the role of an ASGI server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ..core.asgi_types import Application, Message, Scope
from ..core.credentials import Secret
from ..core.handshake.extraction import PROTOCOL

__all__ = ["HIDDEN", "NOTE", "RECEIVED", "SENT", "Conversation"]

NOTE, RECEIVED, SENT = "*", "<", ">"
HIDDEN = "(the token)"
END_TIMEOUT = 10.0
"""Seconds for the application to return after its socket is closed."""

MAX_BYTES = 32  # of a binary frame, shown in hexadecimal


class Conversation:
    """A client that opens the socket, sends frames, and shows everything that it receives.

    Create it in a running event loop, in which it starts the application; `close` ends it. `show`
    is called with one of `NOTE`, `RECEIVED` and `SENT`, and a text. `token`: sent as the first
    message after `auth.required`; it is never shown.
    """

    def __init__(
        self,
        application: Application,
        scope: Scope,
        *,
        show: Callable[[str, str], None],
        token: Secret | None = None,
    ) -> None:
        self._application = application
        self._scope = scope
        self._show = show
        self._token = token
        self._to_application: asyncio.Queue[Message] = asyncio.Queue()
        self._is_ready = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._answered = asyncio.Event()
        self._is_accepted = False
        self._is_closing = False
        self.was_ended_by_application = False
        self._task = asyncio.create_task(self._run())

    async def open(self) -> bool:
        """Return True once frames may be sent, False if the socket is refused."""
        self._to_application.put_nowait({"type": "websocket.connect"})
        await self._first_of(self._is_ready.wait(), self._has_ended.wait())
        return not self._has_ended.is_set()

    async def ended(self) -> None:
        """Wait until the application has closed the socket, or has returned."""
        await self._has_ended.wait()

    def send(self, text: str) -> None:
        """Send a text frame."""
        self._show(SENT, text)
        self._to_application.put_nowait({"type": "websocket.receive", "text": text})

    async def linger(self, seconds: float) -> None:
        """Wait until nothing has been received for so many seconds, or the socket has ended."""
        while not self._has_ended.is_set():
            self._answered.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._first_of(self._answered.wait(), self._has_ended.wait())
            except TimeoutError:
                return

    async def close(self) -> None:
        """Close the socket if it is open, and wait for the application. Raises its exceptions."""
        if not self._has_ended.is_set():
            # First: the application may return at once, which is then no end of its own.
            self._is_closing = True
            self._show(NOTE, "closed by this command")
        self._to_application.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(END_TIMEOUT):
            await self._task

    async def _run(self) -> None:
        try:
            await self._application(self._scope, self._to_application.get, self._receive)
        finally:
            # The application has returned, or raised, without a close of either side.
            if not (self._is_closing or self._has_ended.is_set()):
                self._end("the application has returned")

    async def _receive(self, message: Message) -> None:
        """Receive a message of the application. It is the `send` that the application calls."""
        match message["type"]:
            case "websocket.accept":
                self._accept(message.get("subprotocol"))
            case "websocket.send":
                self._take(message)
            case "websocket.close" if self._has_ended.is_set():
                pass  # a server sends only the first close
            case "websocket.close":
                # A close before the accept denies the handshake with 403 (ASGI, "Close - send
                # event").
                self._end(_closed(message) if self._is_accepted else "refused with HTTP 403")
            # The ASGI extension "websocket.http.response": a refusal with a status of its own.
            case "websocket.http.response.start":
                self._end(f"refused with HTTP {message['status']}")
        self._answered.set()

    def _accept(self, subprotocol: str | None) -> None:
        self._is_accepted = True
        self._show(NOTE, f"open, subprotocol {subprotocol or 'none'}")
        # With our subprotocol, the library sends first: `auth.ok`, or `auth.required` before it.
        # Until then, frames of the client would be taken for a first message.
        if subprotocol != PROTOCOL:
            self._is_ready.set()

    def _take(self, message: Message) -> None:
        text = message.get("text")
        if text is None:
            self._show(RECEIVED, _binary(message["bytes"]))
            return
        self._show(RECEIVED, text)
        kind = _kind(text)
        if kind == "auth.required" and self._token:
            self._show(SENT, HIDDEN)
            secret = json.dumps({"type": "auth", "token": self._token.reveal()})
            self._to_application.put_nowait({"type": "websocket.receive", "text": secret})
        elif kind == "auth.ok":
            self._is_ready.set()

    def _end(self, note: str) -> None:
        self._show(NOTE, note)
        self.was_ended_by_application = True
        self._has_ended.set()
        # 1006: this client answers with no close frame (RFC 6455, section 7.1.5).
        self._to_application.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def _first_of(self, *waiting: Awaitable[Any]) -> None:
        # `asyncio.wait` leaves the other tasks running: without a cancel, they would never end.
        tasks = [asyncio.ensure_future(each) for each in waiting]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def _closed(message: Message) -> str:
    reason = f" {message['reason']}" if message.get("reason") else ""
    return f"closed with {message.get('code') or 1000}{reason}"


def _binary(data: bytes) -> str:
    more = " …" if len(data) > MAX_BYTES else ""
    return f"{len(data)} bytes: {data[:MAX_BYTES].hex(' ')}{more}"


def _kind(text: str) -> Any:
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    return frame.get("type") if isinstance(frame, dict) else None
