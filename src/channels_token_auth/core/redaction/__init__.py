"""Remove secrets from text: `text` finds them by their context, `known` by their value."""

from .known import mask
from .text import MARK, NAMES, redact

__all__ = ["MARK", "NAMES", "mask", "redact"]
