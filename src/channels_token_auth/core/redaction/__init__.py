"""Take secrets out of text: `text` finds them by where they are written, `known` by their value."""

from .known import mask
from .text import MARK, NAMES, redact

__all__ = ["MARK", "NAMES", "mask", "redact"]
