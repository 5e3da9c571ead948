"""Remove values from the reprs of tasks, futures and callbacks that asyncio logs.

In debug mode, and for exceptions that nobody retrieved, asyncio prints the result of a task, which
may be a frame with a token. It shortens the value, so that the end of the token is left without a
sign of what it was. `text` cannot find such an end, so all of the value is masked.
"""

import re

from .text import MARK

__all__ = ["cut_values"]

# Up to the last place where the task was created, else up to the end of the outermost repr. What is
# between may be the client's own text, with any brackets and quotes.
_RESULT = re.compile(
    r"(?<= result=)(?!None[ >])(?:.*(?= created at [^\s'\"]+:\d+>)|.*(?=>)|.+)", re.ASCII
)
# `reprlib` keeps at most 14 characters behind its three dots.
_TAIL = re.compile(rf"(?<=\.\.\.)(?!{re.escape(MARK)}).{{1,14}}")


def cut_values(text: str) -> str:
    """Return the text without results, and without the ends of shortened values.

    Cutting twice changes nothing more.
    """
    return _TAIL.sub(MARK, _RESULT.sub(MARK, text))
