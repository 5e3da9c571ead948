"""A client and its server in memory, which do what a test's list says, and note what they see."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from channels.layers import get_channel_layer

CONNECT = {"type": "websocket.connect"}
ACCEPTED = {"type": "websocket.accept", "subprotocol": None}
DEADLINE = 60.0


def text(value: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": value}


def data(value: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": value}


def gone(code: int = 1001) -> dict[str, Any]:
    return {"type": "websocket.disconnect", "code": code}


def says(value: str) -> dict[str, Any]:
    return {"type": "websocket.send", "text": value}


def to_group(group: str, message: dict[str, Any], *, answers: int = 1):
    """An act of somebody else's: send to a group, and wait until that was answered."""

    async def act(peer: "Peer") -> None:
        expected = len(peer.sent) + answers
        await get_channel_layer().group_send(group, message)
        await eventually(lambda: len(peer.sent) >= expected)

    return act


async def eventually(condition: Callable[[], Any]) -> None:
    """Wait until it is so. The peer's deadline is this one's too."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)


@dataclass
class Peer:
    """`todo`: the client's messages, and acts between them."""

    todo: list[Any]
    sent: list[dict[str, Any]] = field(default_factory=list)
    end: str | None = None
    """The class of the exception that the application ended with."""

    async def serve(self, application: Any, **scope: Any) -> "Peer":
        try:
            async with asyncio.timeout(DEADLINE):
                await application({"type": "websocket", **scope}, self.receive, self._send)
        except Exception as error:  # noqa: BLE001 - whatever it is, a test asks for it
            self.end = type(error).__name__
        return self

    async def receive(self) -> dict[str, Any]:
        while self.todo:
            step = self.todo.pop(0)
            if not callable(step):
                return step
            await step(self)
        return await asyncio.get_running_loop().create_future()

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


async def serve(consumer: Any, *todo: Any, **scope: Any) -> Peer:
    """Serve a consumer until all is done, and return what its client has received."""
    return await Peer([*todo]).serve(consumer.as_asgi(), **scope)
