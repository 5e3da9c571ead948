"""Describe settings from the table that reads them."""

import re
from collections.abc import Callable

from channels_token_auth.conf.problem import WrongValueError
from channels_token_auth.conf.table import SETTINGS

from .markdown import code

__all__ = ["default_of", "names"]

_EXAMPLE = re.compile(r"\[\{.*\}\]")


def names() -> list[str]:
    """Return the settings in the order of the table."""
    return list(SETTINGS)


def default_of(name: str) -> str:
    """Return the line that a setting's section begins with: its default, and what it must be."""
    default, read = SETTINGS[name]
    shown = "Required." if name == "BACKENDS" else f"Default: {code(_as_written(default))}."
    return f"{shown} It must be {_what_it_must_be(read)}"


def _what_it_must_be(read: Callable[[object], object]) -> str:
    """Return what the error about a wrong value advises."""
    try:
        read(object())
    except WrongValueError as error:
        advice = error.sentence.partition("must be ")[2]
        return _EXAMPLE.sub(lambda example: code(example[0]), advice)
    raise AssertionError("A setting that may be anything needs no reader.")


def _as_written(value: object) -> str:
    """Return a value as a settings file has it."""
    if isinstance(value, tuple):
        value = list(value)
    return repr(value).replace("'", '"')
