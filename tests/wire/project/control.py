"""Plain HTTP for the tests: what the process saw and holds, and a close by the library.

Outside Django, so that the question itself moves nothing of what is counted.
"""

import asyncio
import json
import os
import time
from typing import Any

from channels_token_auth.core.close_codes import CloseReason
from tests.connection.sockets import open_sockets
from tests.wire.project.applications import gates
from tests.wire.project.journal import seen, state

__all__ = ["control"]

DELAY = 0.02  # seconds until the timer closes: the answer leaves first


async def control(scope: Any, receive: Any, send: Any) -> None:
    """Answer /pid, /probe, /seen/<socket>, /release/<socket> and /close/<socket>/<slug>.

    The last one answers with the moment of the close.
    """
    match scope["path"].split("/")[1:]:
        case ["pid"]:
            answer: Any = os.getpid()
        case ["probe"]:
            answer = state()
        case ["seen", socket_name]:
            answer = seen(socket_name)
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
