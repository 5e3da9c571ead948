"""The `receive` and `send` that this library passes to the application in place of the server's."""

import asyncio
from collections.abc import Sequence

from ..clock import clock
from ..core.asgi_types import Message
from ..core.handshake.extraction import PROTOCOL
from ..core.handshake.refusal import deny
from ..core.lifecycle import Act, Stage
from .connection import Connection
from .reception import Reception

__all__ = ["ApplicationSide"]

ABNORMAL = 1006
"""The code that servers report to an application whose client got no close (RFC 6455 §7.1.5)."""

# Compared for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_OPEN, _CLOSING = Stage.OPEN, Stage.CLOSING
_FORWARD, _ACCEPT = Act.FORWARD, Act.ACCEPT


class ApplicationSide(Reception):
    """The `receive` and `send` of one application. `connect`: the first event that it receives."""

    __slots__ = ("_transport",)

    def __init__(self, connection: Connection, connect: Message) -> None:
        super().__init__(connection, connect)
        self._transport = connection.transport

    async def send(self, message: Message) -> None:
        """Handle a message of the application. After a close it is dropped."""
        stage = self._exchange.stage
        # Most messages are frames on an open socket: they skip the look-up in the table.
        if stage is _OPEN and message["type"] == "websocket.send":
            transport = self._transport
            if transport.task is None:
                with transport:
                    await transport.forward(message)
            else:  # another send is pending
                await transport.send(message)
            return
        is_response = message["type"] == "websocket.http.response.start"
        is_page = is_response and self._connection.sees_codes
        act = self._exchange.take_message(message, is_page=is_page)
        if act is _ACCEPT:
            await self._accept(message)
        elif act is _FORWARD:
            if self._exchange.stage is _CLOSING:  # the HTTP response is complete
                self._note_end(ABNORMAL)
            await self._transport.send(message)
        else:
            await self._end(act, message, is_accepted=stage is Stage.ACCEPTED)
        if stage is not _OPEN and self._exchange.stage is _OPEN:
            self._connection.note_accepted()

    async def _end(self, act: Act, message: Message, *, is_accepted: bool) -> None:
        match act:
            case Act.DENY:
                await self._deny(message, is_accepted=is_accepted)
            case Act.CLOSE:
                await self._close([message], code=message.get("code") or 1000)
            case _:
                assert act is Act.DROP, act  # noqa: S101 - no other act answers the application

    async def _accept(self, message: Message) -> None:
        # The application's choice has precedence. Else select ours, if the client offered it.
        if not message.get("subprotocol") and PROTOCOL in self._connection.handshake.subprotocols:
            message = {**message, "subprotocol": PROTOCOL}
        speaks = message.get("subprotocol") == PROTOCOL
        life = self._connection.life
        outputs = life.accept(speaks=True, now=clock.steady()) if speaks else ()
        await self._transport.send(message)
        if outputs and self._exchange.stage is _OPEN:  # not closed meanwhile
            await self._connection.perform(outputs)

    async def _deny(self, message: Message, *, is_accepted: bool) -> None:
        code = message.get("code")
        if is_accepted or self._connection.sees_codes:
            last_words = deny(message, self._connection.handshake, is_accepted=is_accepted)
            await self._close(last_words, code=last_words[-1]["code"])
        else:
            await self._close([message], code=code or ABNORMAL)

    async def _close(self, last_words: Sequence[Message], *, code: int) -> None:
        """Close by `Transport.shut`: some servers send no close while a receive is pending."""
        self._note_end(code, last_words[-1].get("reason") or "")
        await asyncio.wait([self._transport.shut(last_words)])

    def _note_end(self, code: int, reason: str = "") -> None:
        # The seat is released now and not when the application returns: that may take long.
        self._connection.life.leave()
        self._connection.left = code
        self._connection.release_seat()
        event = {"type": "websocket.disconnect", "code": code, "reason": reason}
        self._connection.disconnect = event
