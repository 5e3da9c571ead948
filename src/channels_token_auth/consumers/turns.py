"""Two sources of messages, the client and the channel layer, whose handlers run one at a time.

The client's messages are awaited and handled in the consumer's own task, the layer's in a second
one, so that neither needs a task a message. The second has a copy of the context variables, as the
handler of the first message left them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from ..cancel_scope import CancelScope
from ..core.asgi_types import Message, Receive

__all__ = ["take_turns"]

Handle = Callable[[Message], Awaitable[None]]


async def take_turns(client: Receive, layer: Receive, handle: Handle) -> NoReturn:
    """Handle what both bring, after the client's first message, until something raises."""
    await handle(await client())
    turn = asyncio.Lock()
    wait = CancelScope(asyncio.get_running_loop())
    reader = asyncio.create_task(_read(layer, handle, turn, wait))
    try:
        with wait:
            while True:
                message = await client()
                async with turn:
                    await handle(message)
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    reader.result()


async def _read(layer: Receive, handle: Handle, turn: asyncio.Lock, wait: CancelScope) -> NoReturn:
    try:
        while True:
            message = await layer()
            async with turn:
                await handle(message)
    except BaseException:
        if turn.locked():  # a handler of the client's is not disturbed
            await turn.acquire()
        wait.interrupt()
        raise
