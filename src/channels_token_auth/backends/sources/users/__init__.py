"""Admit the users of tokens, read the keys that name users, and copy users for each socket."""

from . import admission
from .admission import *  # noqa: F403 - its `__all__`

__all__: list[str] = []
__all__ += admission.__all__
