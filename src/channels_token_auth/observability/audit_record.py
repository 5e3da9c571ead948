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
from collections.abc import Mapping
from functools import partial
from json.encoder import encode_basestring_ascii as _quote
from types import FunctionType, MethodType
from typing import Any

__all__ = ["LOGGER", "logger", "write"]

LOGGER = "channels_token_auth.audit"
logger = logging.getLogger(LOGGER)

_encode = json.JSONEncoder().encode


def write(level: int, name: str, signal: str, fields: Mapping[str, Any], *, at: float) -> None:
    """Log the fields as text, and each of them as an attribute of the record too.

    `at`: when the event happened, which is a moment before this call.
    """
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
    logger.handle(_record(level, (name, text), {"event": name, "signal": signal, **fields}, at))


def _as_json(value: Any) -> str:
    return str(value) if type(value) is int else _encode(value)


def _record(
    level: int, args: tuple[str, str], extra: dict[str, Any], at: float
) -> logging.LogRecord:
    shared = _shared
    if shared is None or not _is_made_by_python() or not shared.serves(level):
        record = _made_by_logging(level, args, extra)
        attributes = vars(record)
        began_at = record.created - record.relativeCreated / 1000
    else:
        record = logging.LogRecord.__new__(logging.LogRecord)
        attributes = vars(record)
        attributes.update(shared.attributes)
        attributes.update(extra)
        attributes["args"] = args
        if shared.has_tasks:
            attributes["taskName"] = _task_name()
        began_at = shared.began_at
    attributes["created"] = at
    attributes["msecs"] = int((at % 1) * 1000) + 0.0  # whole ones, as in Python's own records
    attributes["relativeCreated"] = (at - began_at) * 1000
    return record


def _made_by_logging(level: int, args: tuple[str, str], extra: dict[str, Any]) -> logging.LogRecord:
    """Return a record that `logging` makes, and keep what the next ones have in common with it."""
    global _shared  # noqa: PLW0603 - of one process, and replaced as a whole
    # Without the search of the calling line: it takes a tenth of all the time, and finds this
    # module, whichever event it is.
    place = (__file__, write.__code__.co_firstlineno)
    make = partial(logger.makeRecord, LOGGER, level, *place, "%s %s", args, None, "write")
    try:
        record = make(extra)
    except KeyError:
        # Python refuses to overwrite an attribute, and a factory of the site often adds a
        # `request_id` to each record. No audit record may be lost, nor have another value.
        record = make(None)
        vars(record).update(extra)
    if _is_made_by_python():
        _shared = _Shared(record, extra)
    return record


class _Shared:
    """The attributes that all records of one thread and one level have in common."""

    __slots__ = (
        "_level",
        "_switches",
        "_thread",
        "_thread_name",
        "attributes",
        "began_at",
        "has_tasks",
    )

    def __init__(self, record: logging.LogRecord, extra: Mapping[str, Any]) -> None:
        self._level = record.levelno
        self._thread = threading.current_thread()
        self._thread_name = self._thread.name
        self._switches = _switches()
        self.attributes = {key: it for key, it in vars(record).items() if key not in extra}
        self.began_at = record.created - record.relativeCreated / 1000
        # Since Python 3.12, unless the site has switched it off.
        self.has_tasks = getattr(logging, "logAsyncioTasks", False)

    def serves(self, level: int) -> bool:
        """Return whether a record of this level in the running thread has these attributes."""
        # By its object: the system gives the id of a thread that has ended to a new one. Its name,
        # too, since the site may change it.
        thread = threading.current_thread()
        return (
            level == self._level
            and thread is self._thread
            and thread.name == self._thread_name
            and _switches() == self._switches
        )


_shared: _Shared | None = None


def _forget_shared() -> None:
    global _shared  # noqa: PLW0603 - as above
    _shared = None


# A record of the child would have the id and the name of the parent's process.
os.register_at_fork(after_in_child=_forget_shared)


def _switches() -> tuple[bool, ...]:
    """Return which attributes the site wants; the last one since Python 3.12."""
    tasks = getattr(logging, "logAsyncioTasks", False)
    return logging.logThreads, logging.logProcesses, logging.logMultiprocessing, tasks


def _task_name() -> str | None:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None
    return None if task is None else task.get_name()


def _is_made_by_python() -> bool:
    """Return False if the site or a tracer makes the records, and so may add attributes.

    They do so with a factory, a class of loggers, or a patch of `Logger.makeRecord`. Such
    attributes, as the id of a trace, differ between records that have all else in common.
    """
    make = logger.makeRecord
    return (
        logging.getLogRecordFactory() is logging.LogRecord
        and type(make) is MethodType
        and type(make.__func__) is FunctionType
        # A patch may have been made before this import, and may copy all names of the original.
        and make.__func__.__globals__ is logging.__dict__
    )
