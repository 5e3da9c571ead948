"""Merge revocations that are published together, and find the tokens that were replaced.

Knows nothing of transactions and of messages: it gets revocations in the order in which they were
made, and returns as few as are needed.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...core.close_codes import CloseReason
from ...core.revocation import Revocation

__all__ = ["Batch", "Deny", "Issued", "Note"]

Deny = Callable[[], None]


class Issued(NamedTuple):
    """A token that was issued, as a `Target` names one."""

    backend: str | None
    user_id: str | None
    token_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One call's revocations.

    `denials`: functions that deny tokens which no row records. `is_told`: report the revocations to
    `token_revoked` and the audit. `instead_of`: unless a denial failed, the endings make up for
    what this one covers and was noted before. `is_announced`: rows were deleted, and a token of
    `issued` may replace them.
    """

    endings: Sequence[Revocation] = ()
    denials: Sequence[Deny] = ()
    is_told: bool = True
    instead_of: Revocation | None = None
    is_announced: bool = False
    issued: Sequence[Issued] = ()
    made_at: float = field(default_factory=time.time)
    """Its time, in seconds since the epoch."""


@dataclass(slots=True)
class Batch:
    """Revocations that are published together."""

    endings: dict[Revocation, bool] = field(default_factory=dict)
    """Each, with True if it is a revocation to `token_revoked` and the audit."""
    issued: set[Issued] = field(default_factory=set)
    """The tokens that were issued in the same transaction."""
    committed_at: float = math.inf
    """When the first of them was committed, in seconds since the epoch."""
    announced: set[Revocation] = field(default_factory=set)
    """Revocations of deleted rows, which may turn out to be replaced. Explicit calls never are."""
    _of: dict[str | None, set[Revocation]] = field(default_factory=lambda: defaultdict(set))
    """The revocations of each user, and of each token."""

    def note(self, note: Note) -> None:
        """Take over one call's revocations."""
        self.issued.update(note.issued)
        if note.instead_of and note.is_told:
            self._remove_covered(note.instead_of)
        for ending in note.endings:
            self.add(ending, is_told=note.is_told, is_announced=note.is_announced)

    def take(self, endings: Mapping[Revocation, bool], instead_of: Revocation | None) -> None:
        """Take over revocations that were committed, as `endings` has them."""
        if instead_of:
            self._remove_covered(instead_of)
        for ending, is_told in endings.items():
            self.add(ending, is_told=is_told)

    def add(self, ending: Revocation, *, is_told: bool, is_announced: bool = False) -> None:
        """Note one more. One of a whole user makes up for those of their tokens."""
        user_id, token_id = ending.target.user_id, ending.target.token_id
        is_told = is_told or self.endings.get(ending, False)
        for each in self._of[token_id or user_id] - {ending}:
            if each.covers(ending) and (self.endings[each] or not is_told):
                return
        if is_told:
            self._remove_covered(ending)
        if not is_announced:
            self.announced.discard(ending)
        elif ending not in self.endings:
            self.announced.add(ending)
        self.endings[ending] = is_told
        for key in {user_id, token_id} - {None}:
            self._of[key].add(ending)

    def judged(self) -> dict[Revocation, bool]:
        """Return the revocations, with 4419 for the tokens that have a successor.

        If a transaction issues as many tokens of a user as it deletes, it replaces them. If it
        deletes more, nobody knows which one was replaced, and the others must not come back.
        """
        ended = {_named(each) for each in self.endings if each in self.announced}
        deleted = Counter(each[:2] for each in ended)
        issued = Counter(each[:2] for each in self.issued - ended)
        return {
            replace(each, code=CloseReason.TOKEN_EXPIRED)
            if each in self.announced and deleted[_named(each)[:2]] <= issued[_named(each)[:2]]
            else each: is_told
            for each, is_told in self.endings.items()
        }

    def _remove_covered(self, ending: Revocation) -> None:
        near = self._of[ending.target.token_id or ending.target.user_id]
        for each in [each for each in near if each != ending and ending.covers(each)]:
            self.endings.pop(each)
            self.announced.discard(each)
            for key in {each.target.user_id, each.target.token_id} - {None}:
                self._of[key].discard(each)


def _named(ending: Revocation) -> Issued:
    return Issued(ending.target.backend, ending.target.user_id, ending.target.token_id)
