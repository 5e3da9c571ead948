"""Write one audit record through Python's `logging`, in less time than `Logger.log` takes.

Each socket causes two records. Most of the time of `Logger.log` goes to facts that are the same in
all of them: the calling line, the names of the file, thread and process. So they are found once.
Handlers, filters and formatters of the site get a record like any other.
"""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as _quote
from typing import Any

__all__ = ["LOGGER", "logger", "write"]

LOGGER = "channels_token_auth.audit"
logger = logging.getLogger(LOGGER)

_encode = json.JSONEncoder().encode


def write(level: int, name: str, signal: str, fields: Mapping[str, Any]) -> None:
    """Log the fields as text, and each of them as an attribute of the record too."""
    # JSON escapes line breaks in a client's values. For None and text this gives the same as
    # `json.dumps`, and without a call of a function in Python: a record has twelve values, of which
    # at most a close code is anything else.
    text = " ".join(
        [
            f"{key}={_quote(value) if type(value) is str else _as_json(value)}"
            if value is not None
            else f"{key}=null"
            for key, value in fields.items()
        ]
    )
    logger.handle(_record(level, (name, text), {"event": name, "signal": signal, **fields}))


def _as_json(value: Any) -> str:
    return str(value) if type(value) is int else _encode(value)


def _record(level: int, args: tuple[str, str], extra: dict[str, Any]) -> logging.LogRecord:
    shared, now = _shared, time.time()
    # A factory of the site's own may add attributes, and needs the arguments that it expects.
    if shared is None or not shared.serves(level) or _has_own_factory():
        return _made_by_logging(level, args, extra)
    record = logging.LogRecord.__new__(logging.LogRecord)
    attributes = vars(record)
    attributes.update(shared.attributes)
    attributes.update(extra)
    attributes["args"] = args
    attributes["created"] = now
    attributes["msecs"] = int((now % 1) * 1000) + 0.0  # whole ones, as in Python's own records
    attributes["relativeCreated"] = (now - shared.began_at) * 1000
    if shared.has_tasks:
        attributes["taskName"] = _task_name()
    return record


def _made_by_logging(level: int, args: tuple[str, str], extra: dict[str, Any]) -> logging.LogRecord:
    """Return a record that Python makes, and keep what the next ones have in common with it."""
    global _shared  # noqa: PLW0603 - of one process, and replaced as a whole
    # Without the search of the calling line: it takes a tenth of all the time, and finds this
    # module, whichever event it is.
    place = (__file__, write.__code__.co_firstlineno)
    record = logger.makeRecord(LOGGER, level, *place, "%s %s", args, None, "write", extra)
    if not _has_own_factory():
        _shared = _Shared(record, extra)
    return record


class _Shared:
    """The attributes that all records of one thread and one level have in common."""

    __slots__ = ("_level", "_process", "_thread", "attributes", "began_at", "has_tasks")

    def __init__(self, record: logging.LogRecord, extra: Mapping[str, Any]) -> None:
        self._level, self._process = record.levelno, os.getpid()
        self._thread = threading.get_ident()
        self.attributes = {key: it for key, it in vars(record).items() if key not in extra}
        self.began_at = record.created - record.relativeCreated / 1000
        # Since Python 3.12, unless the site has switched it off.
        self.has_tasks = getattr(logging, "logAsyncioTasks", False)

    def serves(self, level: int) -> bool:
        """Return whether a record of this level in the running thread has these attributes."""
        # The process, too: after a fork, its id in the records would be that of the parent.
        return (
            level == self._level
            and threading.get_ident() == self._thread
            and os.getpid() == self._process
        )


_shared: _Shared | None = None


def _task_name() -> str | None:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None
    return None if task is None else task.get_name()


def _has_own_factory() -> bool:
    return logging.getLogRecordFactory() is not logging.LogRecord
