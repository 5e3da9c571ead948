"""A server in memory: what ASGI promises, and the ways in which real ones differ."""

import asyncio
from typing import Any

from channels_token_auth.core.close_codes import Code
from channels_token_auth.core.refusal import close_message

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
    """`holds`: message types on which `send` never returns, as towards a peer that never reads."""

    def __init__(self, *events: dict[str, Any], holds: tuple[str, ...] = ()) -> None:
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in events:
            self.inbox.put_nowait(event)
        self.sent: list[dict[str, Any]] = []
        self.holds = holds

    async def receive(self) -> dict[str, Any]:
        return await self.inbox.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if message["type"] in self.holds:
            await asyncio.get_running_loop().create_future()

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.sent]


def refuse(code: Code) -> list[dict[str, Any]]:
    return [{**close_message(code), "reason": "before accept"}]
