"""Types of messages between nodes, which are dictionaries of plain values; names of nodes."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

__all__ = ["Message", "Reply", "is_meant", "node_name"]

Message = Mapping[str, Any]
"""A message. `kind` is its type, on which the other keys depend. It never contains a token."""

Reply = Callable[[Message], Coroutine[Any, Any, None]]
"""Sends an answer to the process that asked. Raises nothing."""


_SEPARATOR = ":"
"""Stands between the parts of a node's name. No name of a machine contains it (RFC 1123 §2.1)."""

_NUMBERS = re.compile(r"-[0-9]+(-[0-9]+)?")
"""The numbers in names of the previous release, web-4711 or web-4711-2."""


def node_name(machine: str, process: int, *, loop: int) -> str:
    """Return the name of a node: web:4711, or web:4711:2 for the second loop of a process."""
    parts = [machine.replace(_SEPARATOR, "-"), str(process), *([str(loop)] if loop > 1 else ())]
    return _SEPARATOR.join(parts)


def is_meant(name: str, wanted: str | None) -> bool:
    """Return whether `wanted` is the node's name, that of its process or machine, or None for all.

    web:4711 means all loops of that process. "web" is not the machine of web-1:4711, although that
    name begins with it.
    """
    if wanted in (None, name):
        return True
    if _SEPARATOR in name:
        # An empty text names nothing, and no part of a name is empty.
        return bool(wanted) and name.startswith(f"{wanted}{_SEPARATOR}")
    # A node of the previous release. Where its name is ambiguous, report it rather as missing.
    return name.startswith(str(wanted)) and bool(_NUMBERS.fullmatch(name, len(str(wanted))))
