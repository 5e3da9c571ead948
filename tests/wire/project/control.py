"""Plain HTTP for the tests: ask the process what it holds, and have the library close a socket.

Outside Django, so that the question itself moves nothing of what is counted.
"""

import asyncio
import json
import time
from typing import Any

from channels_token_auth.core.close_codes import CloseReason
from tests.connection.sockets import open_sockets
from tests.wire.project.applications import gates
from tests.wire.project.journal import state

__all__ = ["control"]

DELAY = 0.02  # seconds until the timer closes: the answer leaves first


async def control(scope: Any, receive: Any, send: Any) -> None:
    """GET /probe, /release/<socket>, or /close/<socket>/<slug>: answers the moment of the close."""
    match scope["path"].split("/")[1:]:
        case ["probe"]:
            answer: Any = state()
        case ["close", socket_name, slug]:
            answer = _close_from_a_timer(socket_name, CloseReason(slug))
        case ["release", socket_name]:
            answer = gates[socket_name].set()
        case _:
            raise LookupError(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _close_from_a_timer(socket_name: str, code: CloseReason) -> float:
    (connection,) = (each for each in open_sockets() if each.path.endswith(f"/{socket_name}"))
    asyncio.get_running_loop().call_later(DELAY, connection.close, code)
    return time.monotonic() + DELAY
