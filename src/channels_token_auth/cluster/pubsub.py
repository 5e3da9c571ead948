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
from ..tasks import is_in_loop, spawn

__all__ = [
    "GROUP",
    "Listener",
    "Message",
    "Reply",
    "add_listener",
    "answered",
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

    @property
    def channel(self) -> str | None:
        """Where it listens in the channel layer; None before it does."""

    def hear(self, message: Message, reply: Reply | None = None) -> None:
        """Act on a message; `reply` takes an answer to who asked. Raises nothing."""


class _Process:
    """Its listeners, and a name: what it says itself comes back to it. A fork has neither."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.lock = threading.Lock()
        self.listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.waiting: dict[str, Callable[[Message], None]] = {}
        """What takes answers, by the question."""


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
        spawn(_send(layer, *messages))
    else:
        async_to_sync(_send)(layer, *messages)


@asynccontextmanager
async def asking(message: Message) -> AsyncIterator["asyncio.Queue[Message]"]:
    """Ask all nodes. Their answers arrive in the queue until the block is left."""
    answers: asyncio.Queue[Message] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(answer: Message) -> None:
        with suppress(RuntimeError):  # who asked has gone
            loop.call_soon_threadsafe(answers.put_nowait, answer)

    async def reply(answer: Message) -> None:
        put(answer)

    asked_as = uuid.uuid4().hex
    _process.waiting[asked_as] = put
    _say_here(message, reply)
    listening = loop.create_task(_ask_others({**message, "asked_as": asked_as}))
    try:
        yield answers
    finally:
        _process.waiting.pop(asked_as, None)
        listening.cancel()
        await asyncio.wait([listening])


def answered(message: Message) -> None:
    """An answer has come. One that comes too late is nobody's."""
    put = _process.waiting.get(message["asked"])
    if put:
        put(message)


async def _ask_others(message: Message) -> None:
    layer, node = remote_layer(), listener()
    if layer is None:
        return
    if node and node.channel:
        # A channel for each question would keep, in some layers, what comes too late.
        await _send(layer, {**message, "reply_to": node.channel})
        return
    try:
        async with _receiving(layer) as (receiver, channel):
            await _send(receiver, {**message, "reply_to": channel})
            while True:
                answered(await receiver.receive(channel))
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        logger.error("The channel layer brought no answers of other processes: %r", error)  # noqa: TRY400 - its trace says no more


@asynccontextmanager
async def _receiving(layer: Any) -> AsyncIterator[tuple[Any, str]]:
    """A channel, and the layer that this event loop may receive on: one of channels-redis' core
    layers serves one loop at a time.
    """
    is_of_one_loop = hasattr(type(layer), "close_pools")
    if is_of_one_loop:
        layer = channel_layers.make_backend(conf.configuration().channel_layer)
    try:
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            channel = await layer.new_channel()
        yield layer, channel
    finally:
        if is_of_one_loop:
            with suppress(Exception):
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    await layer.close_pools()


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
