"""WebSocket consumers: plain, and with JSON in text frames. The API is that of Channels."""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from channels.exceptions import (
    AcceptConnection,
    DenyConnection,
    InvalidChannelLayerError,
    StopConsumer,
)

from ..core.asgi_types import Message
from . import database
from .consumer import AsyncConsumer

__all__ = ["LEAVE_TIMEOUT", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"]

LEAVE_TIMEOUT = 1.0
"""Seconds that a consumer which has failed gets to leave its groups."""


class AsyncWebsocketConsumer(AsyncConsumer):
    """A consumer of one socket: override `connect`, `receive` and `disconnect`."""

    groups: Sequence[str] | None = None
    """Groups of the channel layer, joined before `connect` and left at the end."""

    _has_left = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A list of its own: one on the class would be shared by all sockets.
        if self.groups is None:
            self.groups = []

    async def websocket_connect(self, message: Message) -> None:
        """Join the groups and call `connect`."""
        # Before `connect`, as in Channels: a message to a group that is sent meanwhile waits in the
        # channel, and is not lost.
        if self.groups:
            await self._with_groups("group_add")
        try:
            await self.connect()
        except AcceptConnection:
            await self.accept()
        except DenyConnection:
            await self.close()

    async def connect(self) -> None:
        """Accept the socket. Override: call `accept` or `close`, or raise Channels' exceptions."""
        await self.accept()

    async def accept(
        self,
        subprotocol: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] | None = None,
    ) -> None:
        """Accept the opening handshake."""
        message: Message = {"type": "websocket.accept", "subprotocol": subprotocol}
        if headers:
            message["headers"] = list(headers)
        await self.base_send(message)

    async def websocket_receive(self, message: Message) -> None:
        """Call `receive` with the frame."""
        text = message.get("text")
        # A server may send both keys, one of them None (ASGI, "Receive - receive event").
        if text is not None:
            await self.receive(text_data=text)
        else:
            await self.receive(bytes_data=message["bytes"])

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle a frame, which has text or bytes."""

    async def send(  # type: ignore[override]  # as in Channels, where a socket sends frames
        self,
        text_data: str | None = None,
        bytes_data: bytes | None = None,
        close: bool | int = False,
    ) -> None:
        """Send a frame. `close`: True or a close code, to close the socket after it."""
        # Not `if text_data`: an empty text is a frame too (RFC 6455, section 5.2).
        if text_data is not None:
            await self.base_send({"type": "websocket.send", "text": text_data})
        elif bytes_data is not None:
            await self.base_send({"type": "websocket.send", "bytes": bytes_data})
        else:
            raise ValueError("A frame has text_data or bytes_data.")
        if close:
            await self.close(close)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the socket; before the accept, deny it."""
        message: Message = {"type": "websocket.close"}
        # `send(close=True)` names no code. Without the key it is 1000 (ASGI, "Close - send event").
        if code is not None and code is not True:
            message["code"] = code
        if reason:
            message["reason"] = reason
        await self.base_send(message)

    async def websocket_disconnect(self, message: Message) -> None:
        """Leave the groups, call `disconnect`, and stop."""
        if self.groups:
            await self._leave_groups()
        await self.disconnect(message["code"])
        # `dispatch` does this before a message, and no other message follows.
        if database.is_due():
            await database.close_old_connections()
        raise StopConsumer

    async def disconnect(self, code: int) -> None:
        """Handle the end of the socket."""

    def _needs_channel(self) -> bool:
        # Groups may be set on the instance, and the other rule sees the class only.
        return bool(self.groups) or super()._needs_channel()

    def _leave_at_end(self) -> Awaitable[None] | None:
        # A handler that raises, and a server that cancels, skip `websocket_disconnect`.
        return self._leave_late() if self.groups and not self._has_left else None

    async def _leave_late(self) -> None:
        with suppress(Exception):  # the error that ended the consumer is the one to raise
            async with asyncio.timeout(LEAVE_TIMEOUT):
                await self._leave_groups()

    async def _leave_groups(self) -> None:
        # First: if the layer fails here, `__call__` must not wait for it a second time.
        self._has_left = True
        await self._with_groups("group_discard")

    async def _with_groups(self, method: str) -> None:
        act = getattr(self.channel_layer, method, None)
        if act is None:
            raise InvalidChannelLayerError("There are groups, and no channel layer that has them.")
        for group in self.groups or ():
            await act(group, self.channel_name)


class AsyncJsonWebsocketConsumer(AsyncWebsocketConsumer):
    """A consumer of JSON in text frames: override `receive_json`."""

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Decode a frame and call `receive_json`. Raises ValueError for a frame without text."""
        if not text_data:
            raise ValueError("A frame has no text to decode.")
        await self.receive_json(await self.decode_json(text_data), **kwargs)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Handle the decoded content of a frame."""

    async def send_json(self, content: Any, close: bool | int = False) -> None:
        """Encode the content and send it in a frame."""
        await super().send(text_data=await self.encode_json(content), close=close)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Return the content of a frame's text."""
        return json.loads(text_data)

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        """Return the text of a frame with this content."""
        return json.dumps(content)
