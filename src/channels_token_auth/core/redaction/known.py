"""Remove known secrets from a text: whole, in part, or in another spelling.

`text` finds secrets by their context. This module finds secrets whose value the caller has, in any
place where a driver, a database or a library has quoted them in its message.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from urllib.parse import quote

from .text import MARK

__all__ = ["mask"]

RUN = 12
"""Length of a piece that is masked too, since databases truncate the values that they print."""

WORD = 4
"""A shorter secret is masked as a whole word only: as a part it occurs in ordinary words."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return the text with `MARK` in the place of each secret, and of each long piece of one."""
    spellings = {each for secret in secrets if secret for each in _spellings(secret)}
    pieces: set[str] = set()
    for each in spellings:
        pieces.update(each[i : i + RUN] for i in range(len(each) - RUN + 1))
    text = _mask_pieces(text, pieces) if pieces else text
    # Secrets that are too short for pieces. The longest first, since one may contain another.
    for each in sorted((s for s in spellings if len(s) < RUN), key=len, reverse=True):
        text = text.replace(each, MARK) if len(each) >= WORD else _mask_word(text, each)
    return text


def _spellings(secret: str) -> Iterator[str]:
    """Yield the secret as it is, and as a repr, JSON and a URL show it."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="", errors="replace")


def _mask_pieces(text: str, pieces: set[str]) -> str:
    """Replace each run of characters that is covered by pieces."""
    parts: list[str] = []
    kept = at = 0
    while at <= len(text) - RUN:
        if text[at : at + RUN] not in pieces:
            at += 1
            continue
        parts += text[kept:at], MARK
        # Neighbouring pieces overlap in all but one character: the run ends where they do.
        while text[at + 1 : at + 1 + RUN] in pieces:
            at += 1
        kept = at = at + RUN
    return "".join((*parts, text[kept:]))


def _mask_word(text: str, secret: str) -> str:
    """Replace the secret where no letter or digit touches it."""
    parts = text.split(secret)
    masked = parts[0]
    for before, after in pairwise(parts):
        is_word = not (before[-1:].isalnum() or after[:1].isalnum())
        masked += (MARK if is_word else secret) + after
    return masked
