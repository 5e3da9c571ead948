"""Describe a wrong setting: the entry, the value, and the correction."""

import json
from collections.abc import Collection, Sequence
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
    """Raised by readers. Each list and dictionary around the value adds its key to `path`.

    `others`: the errors of further entries of the same value, so that a developer corrects all of
    them at once.
    """

    def __init__(
        self, sentence: str, path: str = "", others: Sequence["WrongValueError"] = ()
    ) -> None:
        super().__init__(sentence, path, others)
        self.sentence = sentence
        self.path = path
        self.others = others

    @classmethod
    def of(cls, errors: Sequence["WrongValueError"]) -> "WrongValueError":
        """Return the first error, with all others. There must be one."""
        first, *others = [one for error in errors for one in error.all]
        return cls(first.sentence, first.path, others)

    @property
    def all(self) -> list["WrongValueError"]:
        """Return this error and the others, each alone."""
        return [WrongValueError(self.sentence, self.path), *self.others]

    def below(self, key: str | int) -> "WrongValueError":
        """Return the same errors, about the entry `key` of a list or dictionary."""
        below = [
            WrongValueError(each.sentence, f"[{json.dumps(key)}]{each.path}") for each in self.all
        ]
        return WrongValueError.of(below)


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
    # In double quotes, as in the documentation; and without escapes for letters such as "é".
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _suggestion(value: Any, known: Collection[str]) -> str:
    # In lower case, because "backends" has no letter in common with "BACKENDS".
    by_name = {each.lower(): each for each in known}
    close = get_close_matches(str(value).lower(), by_name, n=1)
    return f' Did you mean "{by_name[close[0]]}"?' if close else ""
