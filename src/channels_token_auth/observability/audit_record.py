"""Write one audit record through Python's `logging`, in less time than `Logger.log` takes.

Each socket causes two records. Most of the time of `Logger.log` goes to facts that are the same in
all of them: the calling line, the names of the file, thread and process. So they are found once.
Handlers, filters and formatters of the site get a record like any other.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from json.encoder import encode_basestring_ascii as _quote
from types import FunctionType, MethodType
from typing import Any

from ..loop_local import at_fork

__all__ = ["LOGGER", "logger", "write"]

LOGGER = "channels_token_auth.audit"
logger = logging.getLogger(LOGGER)

# A site's backend may use any object as the id of a token, such as a UUID.
_encode = json.JSONEncoder(default=str).encode


def write(level: int, name: str, signal: str, fields: Mapping[str, Any], *, at: float) -> None:
    """Log the fields as text, and each of them as an attribute of the record too.

    `at`: when the event happened, which is a moment before this call.
    """
    text = _of_socket(fields) if "connection_id" in fields else _text(fields.items())
    logger.handle(_record(level, signal, (name, text), fields, at))


def _of_socket(fields: Mapping[str, Any]) -> str:
    """Return the text of an event of a socket, as `_text` does, in half the time.

    They begin with the same twelve fields, which are `ConnectionFacts`: text or None. Only a
    token's id is another object, if a backend of the site uses the integer key of a row.
    """
    user_id, user_kind = fields["user_id"], fields["user_kind"]
    token_id, backend, location = fields["token_id"], fields["backend"], fields["location"]
    address, origin = fields["address"], fields["origin"]
    request_id, traceparent = fields["request_id"], fields["traceparent"]
    if token_id is not None:
        token_id = _quote(token_id) if type(token_id) is str else _as_json(token_id)
    text = (
        f"connection_id={_quote(fields['connection_id'])} node={_quote(fields['node'])}"
        f" user_id={'null' if user_id is None else _quote(user_id)}"
        f" user_kind={'null' if user_kind is None else _quote(user_kind)}"
        f" token_id={'null' if token_id is None else token_id}"
        f" backend={'null' if backend is None else _quote(backend)}"
        f" location={'null' if location is None else _quote(location)}"
        f" address={'null' if address is None else _quote(address)}"
        f" origin={'null' if origin is None else _quote(origin)} path={_quote(fields['path'])}"
        f" request_id={'null' if request_id is None else _quote(request_id)}"
        f" traceparent={'null' if traceparent is None else _quote(traceparent)}"
    )
    return f"{text} {_text(list(fields.items())[12:])}" if len(fields) > 12 else text


def _text(fields: Iterable[tuple[str, Any]]) -> str:
    # JSON escapes line breaks in a client's values. For None and text this gives the same as
    # `json.dumps`, and without a call of a function in Python.
    return " ".join(
        [
            f"{key}={_quote(value) if type(value) is str else _as_json(value)}"
            if value is not None
            else f"{key}=null"
            for key, value in fields
        ]
    )


def _as_json(value: Any) -> str:
    return str(value) if type(value) is int else _encode(value)


def _record(
    level: int, signal: str, args: tuple[str, str], fields: Mapping[str, Any], at: float
) -> logging.LogRecord:
    template = _templates.get(signal)
    if template is None or not _is_made_by_python() or template.facts != _facts(level):
        record = _made_by_logging(level, signal, args, fields)
        attributes = vars(record)
        began_at = record.created - record.relativeCreated / 1000
    else:
        record = _new(logging.LogRecord)
        # A copy of a dictionary that has all keys already: setting them costs no room any more.
        attributes = record.__dict__ = template.attributes.copy()
        attributes.update(fields)
        if template.has_tasks:
            attributes["taskName"] = _task_name()
        began_at = template.began_at
        attributes["args"] = args
        attributes["event"] = args[0]
    attributes["created"] = at
    attributes["msecs"] = int((at % 1) * 1000) + 0.0  # whole ones, as in Python's own records
    attributes["relativeCreated"] = (at - began_at) * 1000
    return record


_new = logging.LogRecord.__new__


def _made_by_logging(
    level: int, signal: str, args: tuple[str, str], fields: Mapping[str, Any]
) -> logging.LogRecord:
    """Return a record that `logging` makes, and keep what the next ones have in common with it."""
    extra = {"event": args[0], "signal": signal, **fields}
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
        _templates[signal] = _Template(record, level, fields)
    return record


_Facts = tuple[int, threading.Thread, str, bool, bool, bool, bool]


class _Template:
    """The attributes that all records of one event in one thread have in common.

    `facts`: what they depend on, see `_facts`.
    """

    __slots__ = ("attributes", "began_at", "facts", "has_tasks")

    def __init__(self, record: logging.LogRecord, level: int, fields: Iterable[str]) -> None:
        self.facts = _facts(level)
        # With an empty place for each field.
        self.attributes = {**vars(record), **dict.fromkeys(fields)}
        self.began_at = record.created - record.relativeCreated / 1000
        # Since Python 3.12, unless the site has switched it off.
        self.has_tasks = self.facts[-1]


_templates: dict[str, _Template] = {}
"""By the name of the signal: all its records have the same fields."""


def _facts(level: int) -> _Facts:
    """Return what the common attributes depend on: the level, the thread, and switches of a site.

    The last switch exists since Python 3.12.
    """
    # By its object: the system gives the id of a thread that has ended to a new one. Its name, too,
    # since the site may change it.
    thread = threading.current_thread()
    return (
        level,
        thread,
        thread.name,
        logging.logThreads,
        logging.logProcesses,
        logging.logMultiprocessing,
        _HAS_TASKS and logging.logAsyncioTasks,  # type: ignore[attr-defined]
    )


_HAS_TASKS = hasattr(logging, "logAsyncioTasks")


# A record of the child would have the id and the name of the parent's process.
at_fork(after_in_child=_templates.clear)


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
        and make.__func__.__globals__ is _OF_LOGGING
    )


_OF_LOGGING = logging.__dict__
