"""What is said to all nodes: to those of this process directly, to others by the channel layer.

It works from any thread and process, in an event loop or outside, and leaves nothing behind. A
layer that fails or hangs is logged and given up: each node's sweep finds what it did not hear of.
"""

import asyncio
import logging
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from .. import conf
from .beside import beside, is_in_loop

__all__ = [
    "GROUP",
    "Listener",
    "Message",
    "Reply",
    "add_listener",
    "asking",
    "is_meant",
    "is_own",
    "listener",
    "listeners_here",
    "publish",
    "remote_layer",
]

GROUP = "channels_token_auth"
PUBLISH_TIMEOUT = 1.0
"""Seconds that a channel layer gets to take a message."""

Message = Mapping[str, Any]
Reply = Callable[[Message], Coroutine[Any, Any, None]]
logger = logging.getLogger("channels_token_auth")


class Listener(Protocol):
    """What acts on messages, in its own event loop: a node."""

    def hear(self, message: Message, reply: Reply | None = None) -> None:
        """Act on a message; `reply` takes an answer to who asked. Raises nothing."""


class _Process:
    """Its listeners, and a name: what it says itself comes back to it. A fork has neither."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.lock = threading.Lock()
        self.listeners: dict[asyncio.AbstractEventLoop, Listener] = {}


_process = _Process()
os.register_at_fork(after_in_child=_process.__init__)  # type: ignore[misc]


def add_listener(listener: Listener) -> None:
    """Have it hear all that is said, until the running event loop, which is its own, is closed."""
    with _process.lock:
        for loop in [loop for loop in _process.listeners if loop.is_closed()]:
            del _process.listeners[loop]
        _process.listeners[asyncio.get_running_loop()] = listener


def listener() -> Any:
    """The running event loop's; None where it has none yet."""
    return _process.listeners.get(asyncio.get_running_loop())


def listeners_here() -> int:
    """How many this process has."""
    with _process.lock:
        return sum(not loop.is_closed() for loop in _process.listeners)


def remote_layer() -> Any:
    """The channel layer that reaches other processes, or None where there is none."""
    layer = get_channel_layer(conf.configuration().channel_layer)
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def publish(*messages: Message) -> None:
    """Say it to all nodes. In an event loop it returns at once, else when the layer has it."""
    for message in messages:
        _say_here(message)
    layer = remote_layer()
    if layer is None or not messages:
        return
    if is_in_loop():
        beside(_send(layer, *messages))
    else:
        async_to_sync(_send)(layer, *messages)


@asynccontextmanager
async def asking(message: Message) -> AsyncIterator["asyncio.Queue[Message]"]:
    """Ask all nodes. Their answers arrive in the queue until the block is left."""
    answers: asyncio.Queue[Message] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def reply(answer: Message) -> None:
        with suppress(RuntimeError):  # who asked has gone
            loop.call_soon_threadsafe(answers.put_nowait, answer)

    _say_here(message, reply)
    listening = loop.create_task(_ask_others(message, answers))
    try:
        yield answers
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def _ask_others(message: Message, answers: "asyncio.Queue[Message]") -> None:
    layer = _layer_of_loop()
    if layer is None:
        return
    try:
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            channel = await layer.new_channel()
        await _send(layer, {**message, "reply_to": channel})
        while True:
            answers.put_nowait(await layer.receive(channel))
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        logger.error("The channel layer brought no answers of other processes: %r", error)  # noqa: TRY400 - its trace says no more


def _layer_of_loop() -> Any:
    """One that this event loop may receive on: channels-redis has one loop a layer do so."""
    with _process.lock:
        is_elsewhere = _process.listeners and asyncio.get_running_loop() not in _process.listeners
    if is_elsewhere and remote_layer() is not None:
        return channel_layers.make_backend(conf.configuration().channel_layer)
    return remote_layer()


def _say_here(message: Message, reply: Reply | None = None) -> None:
    with _process.lock:
        listeners = list(_process.listeners.items())
    for loop, listener in listeners:
        with suppress(RuntimeError):  # it was closed meanwhile, and all its sockets with it
            loop.call_soon_threadsafe(listener.hear, message, reply)


async def _send(layer: Any, *messages: Message) -> None:
    try:
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            for message in messages:
                wrapped = {"type": "token_auth.message", "process": _process.name, **message}
                await layer.group_send(GROUP, wrapped)
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        logger.error("The channel layer took no message: nodes have to sweep. %r", error)  # noqa: TRY400 - its trace says no more


def is_own(message: Message) -> bool:
    """Whether it comes from this process, where it was heard already."""
    return message.get("process") == _process.name


def is_meant(name: str, wanted: str | None) -> bool:
    """Whether a node of this name is: None means all, and a machine's name all of that machine."""
    return wanted in (None, name) or name.startswith(f"{wanted}-")
