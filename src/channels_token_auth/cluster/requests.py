"""Ask all nodes, and collect their answers.

Answers are sent to a group that is created for each question. Some layers lose messages to a single
channel (channels-redis with several hosts), but not those to a group. In the group of all nodes,
each node would receive the answers to all questions of all processes.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from channels.layers import channel_layers

from .. import conf
from . import envelope, layer
from .freshness import Freshness
from .local_nodes import deliver, local_node
from .message import Message, Reply

__all__ = ["answered", "asking", "reply_to"]

ASK_AGAIN = 0.5
"""Seconds after which a question is repeated: the first message of a process may get lost."""

_waiting: dict[str, Callable[[Message], None]] = {}
"""The callers that wait for answers, by the id of the question."""


@asynccontextmanager
async def asking(message: Message) -> AsyncIterator["asyncio.Queue[Message]"]:
    """Ask all nodes. Their answers are put into the queue until the block ends.

    A node may receive the question twice, and answer it twice.
    """
    answers: asyncio.Queue[Message] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(answer: Message) -> None:
        with suppress(RuntimeError):  # the loop of the caller is closed
            loop.call_soon_threadsafe(answers.put_nowait, answer)

    async def reply(answer: Message) -> None:
        put(answer)

    question = uuid.uuid4().hex
    _waiting[question] = put
    deliver({**message, "question": question}, reply)
    others = loop.create_task(_ask_others({**message, "question": question}))
    try:
        yield answers
    finally:
        _waiting.pop(question, None)
        others.cancel()
        # Until it has left the group, or a member would stay that no process reads. `wait` does not
        # raise the cancellation of the task.
        await asyncio.wait([others])


def answered(message: Message) -> bool:
    """Pass an answer on to its caller. Return whether the message is an answer."""
    if "answers" not in message:
        return False
    put = _waiting.get(message["answers"])
    if put:  # else the caller has stopped waiting
        put(message)
    return True


def reply_to(question: Message) -> Reply | None:
    """Return a function that sends an answer; None if the message is not a question."""
    group, asked = question.get("reply_to"), question.get("question")
    if group is None:
        return None

    async def reply(answer: Message) -> None:
        await layer.send(group, {**answer, "answers": asked})

    return reply


async def _ask_others(message: Message) -> None:
    group = f"{layer.GROUP}.{message['question']}"
    try:
        remote = layer.remote_layer()
        if remote is None:
            return
        node = local_node()
        channel = node.channel() if node else None
        if channel:
            # Use the node's channel, which is read anyway. Late answers would stay in a new
            # channel, where no process reads them.
            async with _member(remote, group, channel):
                await _ask_again_and_again({**message, "reply_to": group})
        else:
            async with _receiving() as (receiver, own), _member(receiver, group, own):
                sender = asyncio.create_task(_ask_again_and_again({**message, "reply_to": group}))
                try:
                    await _receive(receiver, own)
                finally:
                    sender.cancel()
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        layer.note_failure(error)


async def _ask_again_and_again(message: Message) -> None:
    """Send the question twice, then wait to be cancelled."""
    await layer.send(layer.GROUP, message)
    await asyncio.sleep(ASK_AGAIN)
    await layer.send(layer.GROUP, message)
    # Not returned from: the caller then leaves the group, and late answers would be lost.
    await asyncio.get_running_loop().create_future()


async def _receive(receiver: Any, channel: str) -> None:
    freshness = Freshness()
    while True:
        sealed = await layer.call(receiver.receive(channel), is_bounded=False)
        message = envelope.open_(sealed, freshness)
        if message is not None:
            answered(message)


@asynccontextmanager
async def _member(remote: Any, group: str, channel: str) -> AsyncIterator[None]:
    await layer.call(remote.group_add(group, channel))
    try:
        yield
    finally:
        with suppress(Exception):
            await layer.call(remote.group_discard(group, channel))


@asynccontextmanager
async def _receiving() -> AsyncIterator[tuple[Any, str]]:
    """Yield a layer on which this event loop may receive, and a channel of it.

    `RedisChannelLayer` of channels-redis serves one loop at a time, so another object is built.
    """
    remote = layer.remote_layer()
    is_of_one_loop = hasattr(type(remote), "close_pools")
    if is_of_one_loop:
        remote = channel_layers.make_backend(conf.configuration().channel_layer)
    try:
        yield remote, await layer.call(remote.new_channel())
    finally:
        if is_of_one_loop:
            with suppress(Exception):
                await layer.call(remote.close_pools())
