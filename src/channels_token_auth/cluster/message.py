"""Types of messages between nodes, which are dictionaries of plain values."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

__all__ = ["Message", "Reply", "is_meant"]

Message = Mapping[str, Any]
"""A message. `kind` is its type, on which the other keys depend. It never contains a token."""

Reply = Callable[[Message], Coroutine[Any, Any, None]]
"""Sends an answer to the process that asked. Raises nothing."""


def is_meant(name: str, wanted: str | None) -> bool:
    """Return whether `wanted` is the node's name, the name of its machine, or None for all."""
    # A node is called <machine>-<process id>. The name of a machine thus also selects machines
    # whose names continue it with a hyphen: "web" selects the nodes of "web-1" too.
    return wanted in (None, name) or name.startswith(f"{wanted}-")
