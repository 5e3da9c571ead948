"""Describe a wrong option of a backend in terms of the settings, not of Python's calls."""

import inspect
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = ["describe_wrong_options"]

# Used with `search`: since Python 3.13 the message may go on with a suggestion.
_UNKNOWN = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r"__init__\(\) missing \d+ required keyword-only arguments?: (.*)")


def describe_wrong_options(backend: Any, error: Exception) -> str:
    """Return a description of the wrong OPTIONS, from the error that the backend's class raised.

    Python's own message is about `__init__`, which the author of the settings does not call. Any
    other error, such as a backend's own TypeError, describes the options already.
    """
    if unknown := _UNKNOWN.search(str(error)):
        known = sorted(set(_parameters(backend)) | set(_parameters(_class(backend, unknown[1]))))
        close = get_close_matches(unknown[2], known, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"choose from: {', '.join(known)}."
        return f"it has no option {unknown[2]!r}: {advice}"
    if missing := _MISSING.search(str(error)):
        return f"these OPTIONS are missing: {missing[1]}."
    return str(error)


def _class(backend: Any, name: str) -> Any:
    """Return the class of that name, to which the backend passes its options; or the backend."""
    return getattr(sys.modules.get(backend.__module__), name, backend)


def _parameters(cls: Any) -> Iterable[str]:
    # `**options` is skipped: the backend passes them to another class, whose names count.
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            yield parameter.name
