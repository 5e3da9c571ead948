"""Describe the public Python API: each name that a public module exports, from its docstring."""

import inspect
import re
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from textwrap import dedent
from types import NoneType, UnionType
from typing import Any, get_args

from .markdown import code

__all__ = ["module", "signals"]

# The repr of an enum's member, such as <CloseReason.TOKEN_REVOKED: 'token_revoked'>.
_ENUM = re.compile(r"<(\w+\.\w+): [^>]*>")


def module(name: str) -> str:
    """Return a section for each name that a module exports."""
    found = import_module(name)
    return "\n\n".join(_section(each, getattr(found, each)) for each in sorted(found.__all__))


def signals() -> str:
    """Return the table in the docstring of the module of signals."""
    lines = (import_module("channels_token_auth.signals").__doc__ or "").splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def _section(name: str, value: Any) -> str:
    if isinstance(value, UnionType):
        return (
            f"### `{name}`\n\nOne of "
            + ", ".join(code(_brief(each)) for each in get_args(value))
            + "."
        )
    value = getattr(value, "awaitable", value)  # what `async_to_sync` wraps
    parts = [f"### `{name}`", _signature(name, value), _doc(value), _members(value)]
    return "\n\n".join(filter(None, parts))


def _signature(name: str, value: Any) -> str:
    if inspect.isclass(value) and (issubclass(value, Enum) or is_protocol(value)):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    keyword = "await " if inspect.iscoroutinefunction(value) and name.startswith("a") else ""
    parameters = [
        _ENUM.sub(r"\1", str(p.replace(annotation=p.empty)).replace("<factory>", "{}"))
        for p in signature.parameters.values()
    ]
    return f"```python\n{keyword}{name}({', '.join(_with_marks(signature, parameters))})\n```"


def _with_marks(signature: inspect.Signature, texts: list[str]) -> list[str]:
    """Put `*` before the first parameter that must be named."""
    kinds = [each.kind for each in signature.parameters.values()]
    named = inspect.Parameter.KEYWORD_ONLY
    if named in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        texts.insert(kinds.index(named), "*")
    return texts


def _brief(kind: type) -> str:
    return "None" if kind is NoneType else kind.__name__


def _doc(value: Any) -> str:
    """Return the docstring of a name itself, not of what its class inherits."""
    text = value.__doc__ if not isinstance(value, type) else value.__dict__.get("__doc__")
    is_generated = is_dataclass(value) and (text or "").startswith(f"{value.__name__}(")
    return "" if not text or is_generated else inspect.cleandoc(dedent(text))


def is_protocol(value: Any) -> bool:
    """Return True for a class that others implement, and nobody calls."""
    return bool(getattr(value, "_is_protocol", False))


def _members(value: Any) -> str:
    if not inspect.isclass(value):
        return ""
    if issubclass(value, Enum):
        return "Values: " + ", ".join(code(_value(each)) for each in value) + "."
    attributes = ""
    if is_protocol(value):
        attributes = "Attributes: " + ", ".join(code(each) for each in value.__annotations__) + "."
    elif is_dataclass(value):
        attributes = "Fields: " + ", ".join(code(each.name) for each in fields(value)) + "."
    return "\n\n".join(filter(None, [attributes, _methods(value)]))


def _value(member: Enum) -> str:
    """Return what a site writes: the value, or the name where the value is a number."""
    return member.value if isinstance(member.value, str) else member.name


def _methods(value: type) -> str:
    """Return a row for each public method that a class defines itself, from its docstring."""
    rows = [
        f"| {code(_call(name, each))} | {_summary(each)} |"
        for name, each in vars(value).items()
        if name[0] != "_" and _summary(each)
    ]
    return "\n".join(["| member | |", "|---|---|", *rows]) if rows else ""


def _call(name: str, member: Any) -> str:
    if isinstance(member, property):
        return name
    function = getattr(member, "__func__", member)
    _, *parameters = inspect.signature(function).parameters.values()
    texts = [str(each.replace(annotation=each.empty)) for each in parameters]
    texts = _with_marks(inspect.Signature(parameters), texts)
    keyword = "await " if inspect.iscoroutinefunction(function) else ""
    return f"{keyword}{name}({', '.join(texts)})"


def _summary(member: Any) -> str:
    """Return the first paragraph of a method's docstring, in one line."""
    is_documented = inspect.isfunction(getattr(member, "__func__", member)) or isinstance(
        member, property
    )
    text = inspect.getdoc(member) if is_documented else None
    return " ".join((text or "").split("\n\n")[0].split()).replace("|", "\\|")
