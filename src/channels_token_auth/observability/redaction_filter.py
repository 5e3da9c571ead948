"""Keep secrets out of the logs of servers: a filter on every logger that prints requests.

It is attached to loggers, not to handlers, so it works however logging is configured, and when:
`dictConfig` replaces handlers and levels, never the filters of a logger. A logger's filters are not
asked about records of its children, so each is named here. For other loggers, name the class as a
filter of a handler in Django's `LOGGING`.
"""

import copy
import logging
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ..core.redaction import MARK, NAMES, cut_values, redact

__all__ = ["LOGGERS", "RedactionFilter", "install", "redacted"]

LOGGERS = (
    "asyncio",
    "channels_token_auth",
    "daphne.cli",
    "daphne.http_protocol",
    "daphne.server",
    "daphne.ws_protocol",
    "django.channels.server",
    "django.request",
    "django.server",
    "_granian",
    "_granian.asgi.conversion",
    "_granian.asgi.http",
    "_granian.asgi.io",
    "_granian.serve",
    "_granian.utils",
    "_granian.workers",
    "granian.access",
    "hypercorn.access",
    "hypercorn.error",
    "uvicorn.access",
    "uvicorn.asgi",
    "uvicorn.error",
    "websockets",
    "websockets.client",
    "websockets.protocol",
    "websockets.server",
)


MAX_CLEAN, MAX_CLEAN_TEXT = 256, 200
"""Texts without a secret that are remembered, and the characters of each, at most."""


class RedactionFilter(logging.Filter):
    """Redacts each record and lets it pass; `names` are added to what is secret in a query.

    A record without a secret is not changed. Neither is `exc_info`: handlers that report errors
    need it, and they read objects in its frames, which no text filter can redact.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        self.names = NAMES.union(names)
        self._clean: set[str] = set()

    def add(self, names: Iterable[str]) -> None:
        """Redact the values of these names too."""
        self.names |= NAMES.union(names)
        # Last, and a new set: another thread may be adding a text with one of these names to the
        # old one.
        self._clean = set()

    def redacted(self, text: str) -> str:
        """Return a text as the filter lets it pass.

        A few short texts without a secret are remembered, since most handshakes have one of a few
        paths and origins.
        """
        clean = self._clean  # before the names: see `add`
        if text in clean:
            return text
        found = redact(text, self.names)
        if found == text and len(text) <= MAX_CLEAN_TEXT:
            if len(clean) >= MAX_CLEAN:  # a flood of paths
                clean.clear()
            clean.add(text)
        return found

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True. Raises nothing: an exception would reach the code that logs."""
        try:
            self._redact_message(record)
        except Exception:  # noqa: BLE001 - whatever an argument's __str__ may raise
            _withhold(record)
        with suppress(Exception):
            self._redact_traces(record)
        return True

    def _redact_message(self, record: logging.LogRecord) -> None:
        """Format and redact; the arguments stay where the same text can be built of them."""
        # As the handler will format it: a secret may be in the template, in an argument, or be
        # completed by both.
        message = record.getMessage()
        redacted = self._redact_text(message, record.name)
        if redacted == message:
            return
        template, args = str(record.msg), record.args
        # Before the arguments are tried: if that fails, the record has no secret already.
        record.msg, record.args = redacted, ()
        # Formatters of access logs read single arguments.
        with suppress(Exception):
            args = self._redact_args(args, record.name)
            if template % args == redacted:
                record.msg, record.args = template, args

    def _redact_text(self, text: str, logger: str) -> str:
        redacted = redact(text, self.names)
        return cut_values(redacted) if logger == "asyncio" else redacted

    def _redact_args(self, args: Any, logger: str) -> Any:
        if not isinstance(args, Mapping):
            return tuple(self._redact_value(value, logger) for value in args)
        # A mapping of a server's own kind, which may know more keys than it lists.
        redacted: Any = copy.copy(args)
        for key, value in args.items():
            redacted[key] = self._redact_value(value, logger)
        return redacted

    def _redact_value(self, value: object, logger: str) -> object:
        # An object whose text has a secret becomes that redacted text; all others stay objects,
        # since formatters of access logs do arithmetic with them.
        text = str(value)
        redacted = self._redact_text(text, logger)
        return value if redacted == text else redacted

    def _redact_traces(self, record: logging.LogRecord) -> None:
        """Redact tracebacks. `exc_text` is set only if it differs, since formatters use it then."""
        text = record.exc_text or (_format(record.exc_info) if record.exc_info else "")
        redacted = redact(text, self.names)
        if redacted != text:
            record.exc_text = redacted
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self.names)


def install(names: Iterable[str] = ()) -> None:
    """Put the filter on every one of `LOGGERS`, once; further calls add their names to it."""
    # Never fewer: another route of this process may still use a name.
    _FILTER.add(names)
    for name in LOGGERS:
        # A logger ignores a filter that it has, so that several routes may call `install`.
        logging.getLogger(name).addFilter(_FILTER)


def redacted(text: str) -> str:
    """Return a text as the filter lets it pass.

    For audit records, whose logger has no filter: they are many, and few of their values are text
    of a client.
    """
    return _FILTER.redacted(text)


# One for all loggers, so that a name which a route adds is redacted in all of them.
_FILTER = RedactionFilter()


def _withhold(record: logging.LogRecord) -> None:
    """Replace a record that cannot be formatted, and so may hold a secret, by its origin."""
    record.msg = f"{MARK} (a record that cannot be formatted, of {record.pathname}:{record.lineno})"
    record.args = ()


def _format(exc_info: Any) -> str:
    return "".join(traceback.format_exception(*exc_info)).removesuffix("\n")
