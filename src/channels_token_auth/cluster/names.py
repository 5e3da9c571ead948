"""Choose the name of a node, which no other node of this process has."""

import os
import socket
from collections.abc import Collection
from itertools import count

from ..loop_local import LoopLocal
from .message import node_name

__all__ = ["choose_name"]

_names: LoopLocal[str] = LoopLocal()


def choose_name() -> str:
    """Return a name for the node of the running event loop."""
    return _names.choose(_free)


def _free(taken: Collection[str]) -> str:
    # Not by counting nodes: another loop may have ended, or start at this moment.
    machine, process = socket.gethostname(), os.getpid()
    names = (node_name(machine, process, loop=number) for number in count(1))
    return next(name for name in names if name not in taken)
