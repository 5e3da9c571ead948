"""Find what an object keeps in memory, without the names of its private parts."""

import gc
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["kept_by"]

_OUTSIDE = (ModuleType, type, FunctionType, BuiltinFunctionType)


def kept_by(root: object, kind: type | tuple[type, ...] = object) -> list[Any]:
    """Return the objects of a kind that `root` refers to, directly or by way of others.

    Code is not followed: modules, classes and functions refer to nearly everything.
    """
    seen, found, waiting = {id(root)}, [], [root]
    while waiting:
        for each in gc.get_referents(waiting.pop()):
            if id(each) in seen or isinstance(each, _OUTSIDE):
                continue
            seen.add(id(each))
            waiting.append(each.__self__ if isinstance(each, MethodType) else each)
            if isinstance(each, kind):
                found.append(each)
    return found
