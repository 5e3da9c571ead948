"""Recognize a token that a client offers as a subprotocol by itself: `new WebSocket(url, [token])`.

Such an entry is no credential, since nothing marks it as one. But it must not be selected, passed
on or logged: the selected subprotocol is a response header. Names of subprotocols consist of words
(RFC 6455 §1.9 proposes domain names), and tokens of random characters.
"""

import re
from itertools import pairwise

__all__ = ["is_bare_token", "is_name"]

_SEPARATOR = re.compile(r"[^A-Za-z0-9]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

SHORTEST = 16
"""Characters of the shortest token that is recognized: 64 bits, if they are hex digits."""

NOISE = 12
"""Characters of it in parts that are no words: the others may look like words by chance."""

LONGEST_NAME = 64
"""Characters of the longest name that is selected in a refusal."""

LONGEST_WORD = 24
_CAMEL_CASE = re.compile(
    rf"[A-Z]?[a-z]{{1,{LONGEST_WORD}}}(?:[A-Z][a-z]{{1,{LONGEST_WORD - 1}}})*[A-Z]?", re.ASCII
)
MAX_NUMBER = 4
"""Digits at the end of a word, as in `wamp2` or `office365`; and letters and digits of a part such
as `k8s`."""


def is_bare_token(entry: str) -> bool:
    """Return True if the entry has so many random characters that it can only be a token."""
    if len(entry) < SHORTEST:
        return False
    parts = _SEPARATOR.split(entry)
    noise = sum(len(part) for part in parts if not _is_word(part))
    return noise >= NOISE or _UUID.fullmatch(entry) is not None


def is_name(entry: str) -> bool:
    """Return True if the entry consists of words, so that it is no token of any length."""
    return (
        len(entry) <= LONGEST_NAME
        and entry.isascii()
        and all(map(_is_word, _SEPARATOR.split(entry)))
        and not is_bare_token(entry)
    )


def _is_word(part: str) -> bool:
    """Return True for letters in the case of words, with few digits behind them, and for `k8s`."""
    if len(part) <= MAX_NUMBER and (part.islower() or part.isupper() or part.isdigit()):
        return True
    letters = part.rstrip("0123456789")
    if len(part) - len(letters) > MAX_NUMBER or (letters and not letters.isalpha()):
        return False
    # Random letters change from lower to upper case at every fourth place, words much less often.
    humps = sum(a.islower() and b.isupper() for a, b in pairwise(letters))
    if humps > len(letters) // 6:
        return False
    # A longer part consists of several words, as `RealtimeNotificationProtocolV2` does. Random
    # letters have capitals behind capitals.
    return len(letters) <= LONGEST_WORD or _CAMEL_CASE.fullmatch(letters) is not None
