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
    return wanted in (None, name) or name.startswith(f"{wanted}-")
