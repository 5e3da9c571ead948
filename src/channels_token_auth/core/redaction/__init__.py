"""Remove secrets from text: `text` finds them by their context, `known` by their value.

`reprs` removes the values that asyncio prints of tasks and futures, secret or not.
"""

from .known import mask
from .reprs import cut_values
from .text import MARK, NAMES, redact

__all__ = ["MARK", "NAMES", "cut_values", "mask", "redact"]
