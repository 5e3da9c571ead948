"""Send messages to other processes over the channel layer, and survive its failures.

A layer may be missing, fail to import or to build, raise or hang. Callers do not have to handle
that: the beginning and the end of an outage are logged, and sweeps find what was not delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from channels.layers import InMemoryChannelLayer, get_channel_layer

from .. import conf
from ..django_internals import loop_of_sync_code
from ..observability.outage_watch import OutageWatch
from ..tasks import has_real_threads, is_in_loop, spawn, synchronous
from . import envelope
from .message import Message
from .sending_loop import sending_loop

__all__ = [
    "GROUP",
    "TIMEOUT",
    "LayerUnavailableError",
    "call",
    "is_alone",
    "note_failure",
    "note_success",
    "outages",
    "remote_layer",
    "send",
    "send_all",
]

GROUP = "channels_token_auth"
"""The group of all nodes."""

TIMEOUT = 1.0
"""The timeout of one call of a channel layer, in seconds."""

HEAD_START = 0.25
"""Most seconds by which messages to other processes delay the closes in this process."""

T = TypeVar("T")


class LayerUnavailableError(Exception):
    """The channel layer cannot be imported or built, or cancelled the task that called it."""


def remote_layer() -> Any:
    """Return the layer that reaches other processes, or None where the settings name none.

    Raises LayerUnavailableError, with what went wrong as its cause.
    """
    try:
        layer = get_channel_layer(conf.configuration().channel_layer)
    except Exception as error:
        raise LayerUnavailableError from error
    # The in-memory layer reaches this process only, whose nodes get every message directly.
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def is_alone() -> bool:
    """Return whether the settings name no layer that reaches other processes."""
    try:
        return remote_layer() is None
    except LayerUnavailableError:
        return False  # they name a layer, which may be repaired while this process runs


async def call(awaitable: Awaitable[T], *, is_bounded: bool = True) -> T:
    """Await one call of a layer, for at most `TIMEOUT` seconds if `is_bounded`.

    Some client libraries cancel the calling task when their connection breaks. That is a failure of
    the layer, and must not end the task.
    """
    try:
        async with asyncio.timeout(TIMEOUT if is_bounded else None):
            return await awaitable
    except asyncio.CancelledError as error:
        # `cancelling()` counts the requests to cancel this task. Without one, the error came from
        # inside of the awaited call.
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        raise LayerUnavailableError from error


def send_all(*messages: Message, then: Callable[[], None]) -> None:
    """Send messages to the nodes of all other processes. Raises nothing.

    In an event loop it returns at once; elsewhere after the layer has accepted them. `then` is
    called when the messages were sent or after `HEAD_START`. A view's thread sends them in the
    event loop of this process's sockets. So `then` closes those sockets after the messages were
    sent: otherwise the other nodes would wait for all closes of this process.
    """
    if is_alone() or not messages:
        then()
    elif is_in_loop():
        spawn(_send_all(*messages))
        then()
    else:
        _wait_for(partial(_send_all_then, messages, then), then)


def _wait_for(work: Callable[[], Coroutine[Any, Any, None]], then: Callable[[], None]) -> None:
    """Run the coroutine in the event loop that has called this thread; else in a loop of ours."""
    loop = loop_of_sync_code()
    try:
        if not has_real_threads() or (loop is not None and loop.is_running()):
            synchronous(work)()
        else:
            # `synchronous` makes a new loop for each call, and the layer connects anew.
            sending_loop.run(work)
    except Exception as error:  # noqa: BLE001 - no thread or no descriptor is left, for example
        note_failure(error)
        then()


async def _send_all_then(messages: Sequence[Message], then: Callable[[], None]) -> None:
    sending = asyncio.ensure_future(_send_all(*messages))
    try:
        # A layer that is slow or unavailable must not keep this process's own sockets open.
        await asyncio.wait([sending], timeout=HEAD_START)
    finally:
        then()
    await sending


async def _send_all(*messages: Message) -> None:
    for message in messages:
        if not await send(GROUP, message):
            return  # do not wait for the timeout once more for each message


async def send(group: str, message: Message) -> bool:
    """Send a message to a group. Return whether the layer has accepted it. Raises nothing."""
    try:
        layer = remote_layer()
        if layer is None:
            return False
        await call(layer.group_send(group, envelope.seal(message)))
    except Exception as error:  # noqa: BLE001 - whatever a layer raises
        note_failure(error)
        return False
    note_success()
    return True


# -- Outages

outages = OutageWatch(
    "layer",
    began="Channel layer %r unavailable: until it answers again, only sweeps revoke. %s",
    ended="Channel layer %r available again.",
)


def note_failure(error: BaseException) -> None:
    """Report that a call of the layer failed."""
    outages.failed(conf.configuration().channel_layer, error)


def note_success() -> None:
    """Report that a call of the layer succeeded."""
    outages.works(conf.configuration().channel_layer)
