"""Log errors of stores, channel layers and site code without the secrets that they may quote.

Every error that this library logs goes through `log_error`. It writes text and no `exc_info`: error
reporters (Sentry, for example) read the locals of a traceback's frames, where tokens are.
"""

import logging
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ..core.credentials import Secret
from ..core.redaction import MARK, mask, redact
from .throttle import Throttle

__all__ = ["describe_error", "log_error", "throttle"]

MAX_TEXT = 500
"""Characters of an error's text in one line: some drivers quote the whole query."""

MAX_DEPTH = 4

# RFC 3986 §3.2.1: the user information of an address such as redis://user:password@host. Up to the
# last "@": drivers accept a password with an "@" that is not percent-encoded, as `urlsplit` does.
_USER_INFO = re.compile(r"(?<=://)[^\s/'\"]*(?=@)")

logger = logging.getLogger("channels_token_auth")
throttle = Throttle()


def log_error(
    message: str,
    error: BaseException,
    *,
    about: Iterable[object] = (),
    brief: bool = False,
    often: bool = False,
    level: int = logging.ERROR,
) -> None:
    """Log what failed: the message, and the traceback as redacted text.

    `about`: the credentials, grants or secrets that were processed; their values are masked
    wherever they occur in the text. `brief`: the error's type and text on one line instead of the
    traceback, for a service whose traceback shows its driver only. `often`: the error may occur at
    every handshake. It is logged once a minute, with the number of those that were left out.
    """
    # First, since formatting and redacting a traceback takes far longer.
    if not logger.isEnabledFor(level):
        return
    if often:
        left_out = throttle.admit((message, *_kind(error)))
        if left_out is None:
            return
        if left_out:
            message = f"{message} {left_out} more were left out of the log."
    if brief:
        text, separator = describe_error(error, about=about), " "
    else:
        lines = _redact("".join(traceback.format_exception(error)), about).rstrip("\n").split("\n")
        # An error may quote the path or a claim of a client. A line of it must not look like a
        # record of its own, nor control the terminal of its reader.
        text, separator = "\n".join(f"  {_printable(line)}" for line in lines), "\n"
    # `stacklevel`: the record shows the line of the caller, and not this one.
    logger.log(level, "%s%s%s", message, separator, text, stacklevel=2)


def _kind(error: BaseException) -> tuple[object, ...]:
    """Return what equal errors have in common: their type, and the line that raised them."""
    # Not their text: it may quote what a client has sent, so that each is another one.
    frames = traceback.walk_tb(error.__traceback__)
    place = next(((frame.f_code, line) for frame, line in deque(frames, maxlen=1)), None)
    return type(error), place


def describe_error(error: BaseException, *, about: Iterable[object] = ()) -> str:
    """Return the error's type and redacted text on one line, with what caused it."""
    parts = []
    # An exception may be its own cause, by way of others.
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        parts.append(_one_line(each, about))
        each = each.__cause__
    return ", caused by ".join(parts)


def _one_line(error: BaseException, about: Iterable[object]) -> str:
    kind = type(error)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    name = f"{home}{kind.__qualname__}"
    try:
        text = " ".join(_redact(str(error), about).split())
    except Exception:  # noqa: BLE001 - of the __str__ of any exception
        text = ""
    # A driver may quote what a client sent: a line break in it would forge a log line.
    printable = _printable(text)
    shown = printable if len(printable) <= MAX_TEXT else f"{printable[:MAX_TEXT]}…"
    return f"{name}: {shown}" if shown else name


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _redact(text: str, about: Iterable[object]) -> str:
    # Known secrets first, wherever they are. The patterns find those that nobody passed in.
    known = mask(text, _secrets(list(about), 0))
    return _USER_INFO.sub(MARK, redact(known))


def _secrets(value: Any, depth: int, *, is_handle: bool = False) -> Iterator[str]:
    """Yield the raw secrets in a credential, a grant, or in the handle that a backend made.

    A handle is the backend's own: a text in it may be the token itself.
    """
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, str):
        if is_handle:
            yield value
    # A handle of a site's own backend may be nested, or contain itself.
    elif depth < MAX_DEPTH:
        for name, part in _parts(value):
            yield from _secrets(part, depth + 1, is_handle=is_handle or name == "handle")


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple | set | frozenset) else ()
