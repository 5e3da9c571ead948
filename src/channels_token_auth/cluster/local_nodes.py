"""The nodes of this process, which get messages directly, each in its own event loop."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..loop_local import LoopLocal, at_fork
from .message import Message, Reply

__all__ = [
    "LocalNode",
    "add_node",
    "deliver",
    "local_node",
    "node_count",
    "not_serving",
    "note_server",
    "process_began_at",
    "process_id",
    "serves_sockets",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """Access to a node. `handle`: handles a message in its loop; `channel`: that of the node."""

    handle: Callable[[Message, Reply | None], None]
    channel: Callable[[], str | None]


_nodes: LoopLocal[LocalNode] = LoopLocal()


class _Process:
    """The id of this process, by which it ignores its own messages from the channel layer."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.began_at = time.monotonic()
        # Runs again after a fork. The child of a server serves sockets too.
        self.is_server = getattr(self, "is_server", False)


# Marks the thread that imports ASGI_APPLICATION for its backends: what it makes serves no sockets.
# The process may begin to serve in another thread meanwhile.
_import = threading.local()
_process = _Process()
at_fork(after_in_child=_process.__init__)  # type: ignore[misc] # a fork is another one


def process_id() -> str:
    """Return the random id of this process."""
    return _process.id


def process_began_at() -> float:
    """Return when this process loaded the library or was forked, on its monotonic clock."""
    return _process.began_at


def add_node(node: LocalNode) -> None:
    """Deliver messages to the node of the running event loop, until that loop is closed."""
    _nodes.set(node)


def local_node() -> LocalNode | None:
    """Return the node of the running event loop, or None."""
    return _nodes.get()


def note_server() -> None:
    """Note that this process serves sockets: its node starts with the first of them."""
    if not getattr(_import, "is_running", False):
        _process.is_server = True


@contextmanager
def not_serving() -> Iterator[None]:
    """Import in the block what builds a middleware. This process does not serve its sockets."""
    before = getattr(_import, "is_running", False)
    _import.is_running = True
    try:
        yield
    finally:
        _import.is_running = before


def serves_sockets() -> bool:
    """Return whether this process has a node, or will have one."""
    return _process.is_server or bool(_nodes)


def node_count() -> int:
    """Return how many nodes this process has."""
    return len(_nodes)


def deliver(message: Message, reply: Reply | None = None) -> None:
    """Have each node of this process act on the message, in its own event loop."""
    for loop, node in _nodes:
        with suppress(RuntimeError):  # the loop has been closed, with its sockets
            # Any thread may publish, but only the node's own event loop may access it.
            loop.call_soon_threadsafe(node.handle, message, reply)
