"""A socket that is served by the middleware, on a server in memory."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from channels_token_auth.connection.connection import Connection
from channels_token_auth.middleware import TokenAuthMiddleware
from tests.connection.server import ACCEPT, Server, scope
from tests.connection.sockets import open_sockets
from tests.connection.turns import rest

__all__ = ["GOOD", "Noting", "Served", "serve", "shortened", "start"]

GOOD = (b"authorization", b"Token g00d-canary")
"""The token of `tests.middleware.backend`."""


class Noting:
    """An application that accepts, then notes every event until it gets its disconnect."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.events.append(await receive())
        await send(ACCEPT)
        while self.events[-1]["type"] != "websocket.disconnect":
            self.events.append(await receive())


@dataclass(slots=True, kw_only=True)
class Served:
    server: Server
    task: "asyncio.Task[None]"
    connection: Connection


async def serve(server: Server, application: Any, **values: Any) -> list[Any]:
    """Serve one socket to its end, and return what the server got, shortened."""
    values = {**values, "headers": [*values.get("headers", [GOOD])]}
    overrides = values.pop("overrides", {})
    middleware = TokenAuthMiddleware(application, **overrides)
    await middleware(scope(**values), server.receive, server.send)
    return shortened(server)


async def start(server: Server, application: Any, **values: Any) -> Served:
    """Serve a socket in a task of its own, up to where its application waits for something."""
    others = set(open_sockets())
    task = asyncio.create_task(serve(server, application, **values))
    async with asyncio.timeout(60):
        while not (opened := set(open_sockets()) - others):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
        (connection,) = opened
        while not (connection.was_admitted or task.done()):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.001)
    await rest(0.02)
    return Served(server=server, task=task, connection=connection)


def shortened(server: Server) -> list[Any]:
    """Return what the server got: texts, close codes, HTTP statuses, and "accept"."""
    return [_short(message) for message in server.sent]


def _short(message: Any) -> Any:
    match message:
        case {"type": "websocket.send", "text": str(frame)} if frame.startswith("{"):
            told = json.loads(frame)
            return " ".join(filter(None, (told["type"], told.get("code"))))
        case {"type": "websocket.send", "text": frame}:
            return frame
        case {"type": "websocket.close"}:
            return message.get("code", "close")
        case {"type": "websocket.accept"}:
            return "accept"
        case {"type": "websocket.http.response.start", "status": status}:
            return f"HTTP {status}"
        case {"type": "websocket.http.response.body"}:
            return "body"
    return message
