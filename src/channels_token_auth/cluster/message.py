"""Messages between nodes: dictionaries of plain values, and how to answer one."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

__all__ = ["Message", "Reply", "is_meant"]

Message = Mapping[str, Any]
"""`kind` names what it is; the other keys depend on that. Never a token."""

Reply = Callable[[Message], Coroutine[Any, Any, None]]
"""Takes the answer to a question to the process that asked. Raises nothing."""


def is_meant(name: str, wanted: str | None) -> bool:
    """Return whether a node is addressed: by its name, by its machine's name, or all by None."""
    return wanted in (None, name) or name.startswith(f"{wanted}-")
