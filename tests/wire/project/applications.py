"""The applications that stand behind the route: consumers of every kind, and one bare ASGI app."""

import asyncio
import contextlib
import random
import threading
import time
from collections import defaultdict
from typing import Any

from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    WebsocketConsumer,
)

__all__ = ["APPLICATIONS", "gates"]

GATE_DEADLINE = 600.0  # it ends what hangs only

gates: dict[str, threading.Event] = defaultdict(threading.Event)
"""For each socket of `held` and `lingers`: once set, the handler goes on."""


class EchoAsync(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data, bytes_data)


class EchoSync(WebsocketConsumer):
    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.send(text_data, bytes_data)


class Json(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content: Any, **_: object) -> None:
        await self.send_json(content)


class Subprotocol(AsyncWebsocketConsumer):
    """Speaks a protocol of its own, and says so if the client does too."""

    async def connect(self) -> None:
        offered = self.scope["subprotocols"]
        await self.accept("chat.v2" if "chat.v2" in offered else None)
        await self.send(repr([*offered]))


class Subscribed(EchoAsync):
    """An echo that also handles the library's own events."""

    async def connect(self) -> None:
        self.scope["auth"].subscribe()
        await self.accept()

    async def auth_reauthenticated(self, event: dict[str, Any]) -> None:
        await self.send("reauthenticated")

    async def auth_expiring(self, event: dict[str, Any]) -> None:
        await self.send("expiring")


class Denies(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.close()


class DeniesWithCode(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.close(4001, "by the application")


class Raises(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raise RuntimeError("the consumer failed, as asked")


class SlowSync(WebsocketConsumer):
    """Its handler holds a thread for half a second, whatever happens to the socket meanwhile."""

    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.send("working")
        time.sleep(0.5)
        self.send("done")


class Held(WebsocketConsumer):
    """Its handler holds a thread until the test releases it."""

    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.send("held")
        gates[self.scope["url_route"]["kwargs"]["socket"]].wait(GATE_DEADLINE)
        self.send("released")


class Busy(AsyncWebsocketConsumer):
    """Sends all the time from a task of its own, as a ticker does; its handlers are free."""

    async def connect(self) -> None:
        await self.accept()
        self.ticker = asyncio.create_task(self.tick())

    async def disconnect(self, code: int) -> None:
        self.ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.ticker

    async def tick(self) -> None:
        while True:
            await self.send("tick")
            await asyncio.sleep(0.01)


class Flood(AsyncWebsocketConsumer):
    """Its handler sends more than a peer that never reads can take, and so comes to block."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        for _ in range(64):
            await self.send("x" * (1 << 18))


class Kicks(AsyncWebsocketConsumer):
    """Closes itself from a task of its own, while it waits for the client."""

    async def connect(self) -> None:
        await self.accept()
        self.kick = asyncio.create_task(self.close_soon())

    async def close_soon(self) -> None:
        await asyncio.sleep(0.05)
        await self.close(4001)


class Leaves(EchoAsync):
    """An echo that closes itself from a task of its own, amid the frames of the client."""

    async def connect(self) -> None:
        await self.accept()
        self.leave = asyncio.create_task(self.close_soon())

    async def close_soon(self) -> None:
        await asyncio.sleep(random.uniform(0, 0.03))
        await self.close(4001)


class Lingers(AsyncWebsocketConsumer):
    """Does not accept before the test releases it."""

    async def connect(self) -> None:
        gate = gates[self.scope["url_route"]["kwargs"]["socket"]]
        await asyncio.to_thread(gate.wait, GATE_DEADLINE)
        await self.accept()


class Scope(AsyncWebsocketConsumer):
    """Shows everything that an application can see of the handshake."""

    async def connect(self) -> None:
        await self.accept()
        scope = {key: value for key, value in self.scope.items() if key != "app"}
        user, auth = scope.get("user"), scope.get("auth")
        await self.send("\n".join([repr(scope), repr(vars(user) if user else None), repr(auth)]))


class WhoAmI(AsyncWebsocketConsumer):
    """Answers every frame with who the middleware says is there."""

    async def connect(self) -> None:
        await self.accept()
        await self.receive()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        user, auth = self.scope.get("user"), self.scope.get("auth")
        await self.send(f"{user} by {auth.location if auth else None}")


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """An echo on ASGI alone."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


async def returns(scope: Any, receive: Any, send: Any) -> None:
    """Ends at once after its accept, and leaves the socket open."""
    await receive()
    await send({"type": "websocket.accept"})


async def fails(scope: Any, receive: Any, send: Any) -> None:
    """Raises after its accept."""
    await returns(scope, receive, send)
    raise RuntimeError("the application failed, as asked")


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Ends without an answer to the handshake."""
    await receive()


async def lost(scope: Any, receive: Any, send: Any) -> None:
    """Raises without an answer, as a router that knows no such path."""
    raise ValueError("No route found for path, as asked.")


async def drains(scope: Any, receive: Any, send: Any) -> None:
    """Closes with a standard code that daphne cannot send."""
    await returns(scope, receive, send)
    await send({"type": "websocket.close", "code": 1013})


async def late(scope: Any, receive: Any, send: Any) -> None:
    """Goes on talking after it was told that nobody listens."""
    await bare(scope, receive, send)
    await send({"type": "websocket.send", "text": "too late"})
    await send({"type": "websocket.close", "code": 1000})


APPLICATIONS = {
    "bare": bare,
    "busy": Busy.as_asgi(),
    "denies": Denies.as_asgi(),
    "denies-with-code": DeniesWithCode.as_asgi(),
    "drains": drains,
    "echo-async": EchoAsync.as_asgi(),
    "echo-sync": EchoSync.as_asgi(),
    "fails": fails,
    "flood": Flood.as_asgi(),
    "held": Held.as_asgi(),
    "kicks": Kicks.as_asgi(),
    "late": late,
    "leaves": Leaves.as_asgi(),
    "lingers": Lingers.as_asgi(),
    "json": Json.as_asgi(),
    "lost": lost,
    "raises": Raises.as_asgi(),
    "returns": returns,
    "scope": Scope.as_asgi(),
    "silent": silent,
    "slow-sync": SlowSync.as_asgi(),
    "subprotocol": Subprotocol.as_asgi(),
    "subscribed": Subscribed.as_asgi(),
    "whoami": WhoAmI.as_asgi(),
}
