"""A server in memory: what ASGI promises, and the ways in which real ones differ."""

import asyncio
from collections.abc import Awaitable
from typing import Any

CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}


def text(value: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": value}


def sends(value: str) -> dict[str, Any]:
    return {"type": "websocket.send", "text": value}


def scope(**values: Any) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/",
        "headers": [],
        "query_string": b"",
        "subprotocols": [],
        **values,
    }


class Server:
    """`holds`: message types on which `send` never returns, as towards a peer that never reads.
    `gone`: the peer has left, and `send` raises. `gives_futures`: `receive` returns a future, as
    granian's does, and not a coroutine.
    """

    gives_futures = False

    def __init__(
        self, *events: dict[str, Any], holds: tuple[str, ...] = (), gone: bool = False
    ) -> None:
        self.gone = gone
        self.is_asked = False
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in events:
            self.inbox.put_nowait(event)
        self.sent: list[dict[str, Any]] = []
        self.holds = holds

    def receive(self) -> Awaitable[dict[str, Any]]:
        call = self._receive()
        return asyncio.ensure_future(call) if self.gives_futures else call

    async def _receive(self) -> dict[str, Any]:
        self.is_asked = True
        try:
            return await self.inbox.get()
        finally:
            self.is_asked = False

    @property
    def is_idle(self) -> bool:
        """True if the application has received all frames and waits for more."""
        return self.is_asked and self.inbox.empty()

    async def send(self, message: dict[str, Any]) -> None:
        if self.gone:
            raise RuntimeError("the peer has gone")
        self.sent.append(message)
        if message["type"] in self.holds:
            await asyncio.get_running_loop().create_future()
        if message["type"] == "websocket.close":
            code = message.get("code") or 1000
            self.inbox.put_nowait({"type": "websocket.disconnect", "code": code})

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.sent]


class LossyServer(Server):
    """Drops the next event after its `receive` was cancelled, as granian does."""

    async def _receive(self) -> dict[str, Any]:
        self.is_asked = True
        try:
            return await asyncio.shield(asyncio.ensure_future(self.inbox.get()))
        finally:
            self.is_asked = False
