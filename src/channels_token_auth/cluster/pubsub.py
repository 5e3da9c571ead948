"""Publish to all nodes: to those of this process directly, to others over the channel layer.

Works from any thread and process, in an event loop or outside, and leaves nothing behind. Threads
without an event loop share one for about a second: see `sending_loop`.
"""

from collections.abc import Sequence
from functools import partial

from . import layer
from .local_nodes import deliver
from .message import Message

__all__ = ["publish"]


def publish(*messages: Message) -> None:
    """Send messages to all nodes. Raises nothing.

    In an event loop it returns at once; elsewhere after the channel layer has accepted them.
    """
    # Outside an event loop, other processes get them first: to close many sockets here takes long.
    layer.send_all(*messages, then=partial(_deliver_all, messages))


def _deliver_all(messages: Sequence[Message]) -> None:
    for message in messages:
        deliver(message)
