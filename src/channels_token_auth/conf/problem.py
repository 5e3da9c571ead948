"""Describe a wrong setting: the entry, the value, and the correction."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

__all__ = ["NAME", "Problem", "WrongValueError", "misspelt", "must_be", "shown", "unknown_key"]

NAME = "CHANNELS_TOKEN_AUTH"
LONGEST = 60
"""Characters of a wrong value that a message shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A wrong entry. `path`: its keys below the setting `name`, such as `["WAITING"]["node"]`."""

    name: str
    path: str
    sentence: str

    def __str__(self) -> str:
        setting = f'["{self.name}"]' if self.name else ""
        return f"{NAME}{setting}{self.path} {self.sentence}"


class WrongValueError(ValueError):
    """Raised by readers. Each list and dictionary around the value adds its key to `path`."""

    def __init__(self, sentence: str, path: str = "") -> None:
        super().__init__(sentence, path)
        self.sentence = sentence
        self.path = path

    def below(self, key: str | int) -> "WrongValueError":
        """Return the same error, about the entry `key` of a list or dictionary."""
        return WrongValueError(self.sentence, f"[{json.dumps(key)}]{self.path}")


def must_be(value: Any, what: str, known: Collection[str] = ()) -> WrongValueError:
    """Return the error of a value that is not `what`, with the most similar known value."""
    return WrongValueError(f"is {shown(value)}: it must be {what}.{_suggestion(value, known)}")


def unknown_key(key: Any, known: Collection[str]) -> WrongValueError:
    """Return the error of an unknown key, with the most similar known one."""
    advice = _suggestion(key, known) or f" Choose from: {', '.join(known)}."
    return WrongValueError(f"is unknown.{advice}")


def misspelt(names: Collection[str]) -> str:
    """Return the advice to rename a setting that resembles `NAME`, or else to add `NAME`."""
    close = get_close_matches(NAME, names, n=1, cutoff=0.8)
    found = f' You have "{close[0]}": rename it.' if close else ""
    return found or ' Add it to the settings, with "BACKENDS".'


def shown(value: Any) -> str:
    """Return a value as it would be written in the settings, shortened."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _suggestion(value: Any, known: Collection[str]) -> str:
    # In lower case, because "backends" has no letter in common with "BACKENDS".
    by_name = {each.lower(): each for each in known}
    close = get_close_matches(str(value).lower(), by_name, n=1)
    return f' Did you mean "{by_name[close[0]]}"?' if close else ""
