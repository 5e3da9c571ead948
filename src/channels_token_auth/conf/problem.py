"""Say what is wrong with a setting: which entry, which value, and what to write instead."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

__all__ = ["NAME", "Problem", "WrongValueError", "misspelt", "must_be", "shown", "unknown_key"]

NAME = "CHANNELS_TOKEN_AUTH"
LONGEST = 60
"""Characters of a wrong value that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A wrong entry. `path`: its place in the setting `name`, such as `["WAITING"]["node"]`."""

    name: str
    path: str
    sentence: str

    def __str__(self) -> str:
        setting = f'["{self.name}"]' if self.name else ""
        return f"{NAME}{setting}{self.path} {self.sentence}"


class WrongValueError(ValueError):
    """Raised by readers. `path` grows while the error leaves the lists and dictionaries around."""

    def __init__(self, sentence: str, path: str = "") -> None:
        super().__init__(sentence, path)
        self.sentence = sentence
        self.path = path

    def below(self, key: str | int) -> "WrongValueError":
        """Return the same error, about the entry `key` of a list or dictionary."""
        return WrongValueError(self.sentence, f"[{json.dumps(key)}]{self.path}")


def must_be(value: Any, what: str, known: Collection[str] = ()) -> WrongValueError:
    """Return the error of a value that is not `what`, with the most similar of the known ones."""
    return WrongValueError(f"is {shown(value)}: it must be {what}.{_suggestion(value, known)}")


def unknown_key(key: Any, known: Collection[str]) -> WrongValueError:
    """Return the error of a key that does not exist, with the most similar one that does."""
    advice = _suggestion(key, known) or f" Choose from: {', '.join(known)}."
    return WrongValueError(f"is unknown.{advice}")


def misspelt(names: Collection[str]) -> str:
    """Return advice if one of a site's settings was probably meant as `NAME`."""
    close = get_close_matches(NAME, names, n=1, cutoff=0.8)
    found = f' You have "{close[0]}": rename it.' if close else ""
    return found or ' Add it to the settings, with "BACKENDS".'


def shown(value: Any) -> str:
    """Return a value as it is written in the settings, shortened."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _suggestion(value: Any, known: Collection[str]) -> str:
    # In one case, since a setting in lower case has no letter in common with its name.
    by_name = {each.lower(): each for each in known}
    close = get_close_matches(str(value).lower(), by_name, n=1)
    return f' Did you mean "{by_name[close[0]]}"?' if close else ""
