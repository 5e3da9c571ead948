"""Read messages from the client and the channel layer, and handle them one at a time.

The consumer's own task awaits and handles the client's messages, a second task those of the layer:
no message needs a task of its own. The second task starts after the client's first message, with a
copy of the context variables that its handler has set.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from ..cancel_scope import CancelScope
from ..core.asgi_types import Message, Receive

__all__ = ["take_turns"]

Handle = Callable[[Message], Awaitable[None]]


async def take_turns(client: Receive, layer: Receive, handle: Handle) -> NoReturn:
    """Handle the client's first message, then those of both, until a handler or a source raises."""
    await handle(await client())
    turn = asyncio.Lock()
    wait = CancelScope(asyncio.get_running_loop())
    reader = asyncio.create_task(_read(layer, handle, turn, wait))
    try:
        # The client may send nothing for hours: a reader that has failed interrupts this wait.
        with wait:
            while True:
                message = await client()
                async with turn:
                    await handle(message)
    finally:
        # Await it as well: it may be in a handler, which must not go on after the consumer's end.
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    # Reached only if the reader has ended the wait: raise its exception, StopConsumer for example.
    reader.result()


async def _read(layer: Receive, handle: Handle, turn: asyncio.Lock, wait: CancelScope) -> NoReturn:
    try:
        while True:
            message = await layer()
            async with turn:
                await handle(message)
    except BaseException:
        # The client's handler may run: let it finish, then end the wait for the next frame.
        if turn.locked():
            # Never released, so that no further frame of the client is handled.
            await turn.acquire()
        wait.interrupt()
        raise
