"""Merge revocations that are published together, and find the tokens that were replaced.

The module does not depend on transactions or messages: it takes revocations in the order in which
they were made, and returns as few as are needed.
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
    """A token that was issued, by the same fields as in a `Target`."""

    backend: str | None
    user_id: str | None
    token_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One call's revocations.

    `denials`: functions that deny the tokens that have no row. `is_reported`: send the signal
    `token_revoked` and an audit record for each revocation. `supersedes`: drop the earlier
    revocations that this one covers, unless a denial failed. `is_announced`: a signal announced
    that rows were deleted, and a token of `issued` may replace them.
    """

    revocations: Sequence[Revocation] = ()
    denials: Sequence[Deny] = ()
    is_reported: bool = True
    supersedes: Revocation | None = None
    is_announced: bool = False
    issued: Sequence[Issued] = ()
    made_at: float = field(default_factory=time.time)
    """When the call was made, in seconds since the epoch."""


@dataclass(slots=True)
class Batch:
    """Revocations that are published together."""

    revocations: dict[Revocation, bool] = field(default_factory=dict)
    """Each revocation, with True if `token_revoked` and the audit report it."""
    issued: set[Issued] = field(default_factory=set)
    """The tokens that were issued in the same transaction."""
    committed_at: float = math.inf
    """When the first of them was committed, in seconds since the epoch."""
    announced: set[Revocation] = field(default_factory=set)
    """Revocations of deleted rows. They may turn out to be replacements; explicit calls do not."""
    _of: dict[str | None, set[Revocation]] = field(default_factory=lambda: defaultdict(set))
    """The revocations by user id and by token id, so that `add` compares few of them."""

    def note(self, note: Note) -> None:
        """Add one call's revocations."""
        self.issued.update(note.issued)
        if note.supersedes and note.is_reported:
            self._remove_covered(note.supersedes)
        for revocation in note.revocations:
            self.add(revocation, is_reported=note.is_reported, is_announced=note.is_announced)

    def take(self, revocations: Mapping[Revocation, bool], supersedes: Revocation | None) -> None:
        """Add revocations that were committed. The value of each: True if it is reported."""
        if supersedes:
            self._remove_covered(supersedes)
        for revocation, is_reported in revocations.items():
            self.add(revocation, is_reported=is_reported)

    def add(self, revocation: Revocation, *, is_reported: bool, is_announced: bool = False) -> None:
        """Add one revocation, unless an earlier one covers it. Drop those that it covers."""
        user_id, token_id = revocation.target.user_id, revocation.target.token_id
        # In whichever order the calls came: one of them is to be reported.
        is_reported = is_reported or self.revocations.get(revocation, False)
        for each in self._of[token_id or user_id] - {revocation}:
            # An unreported one cannot replace a reported one: the audit record would be lost.
            if each.covers(revocation) and (self.revocations[each] or not is_reported):
                return
        if is_reported:
            self._remove_covered(revocation)
        # One explicit call suffices: a token that was revoked on purpose was not replaced.
        if not is_announced:
            self.announced.discard(revocation)
        elif revocation not in self.revocations:
            self.announced.add(revocation)
        self.revocations[revocation] = is_reported
        for key in {user_id, token_id} - {None}:
            self._of[key].add(revocation)

    def with_codes(self) -> dict[Revocation, bool]:
        """Return the revocations, with the code 4419 for tokens that were replaced.

        A transaction that issues at least as many tokens of a user as it deletes replaces them. If
        it deletes more, it is unknown which ones were replaced: all keep 4410, so that no client of
        a revoked token reconnects.
        """
        # An `Issued` without its last field is the backend and the user: tokens are counted by it.
        ended = {_named(each) for each in self.revocations if each in self.announced}
        deleted = Counter(each[:2] for each in ended)
        # A token that the same transaction issued and deleted replaces no other.
        issued = Counter(each[:2] for each in self.issued - ended)
        return {
            replace(each, code=CloseReason.TOKEN_EXPIRED)
            if each in self.announced and deleted[_named(each)[:2]] <= issued[_named(each)[:2]]
            else each: is_reported
            for each, is_reported in self.revocations.items()
        }

    def _remove_covered(self, revocation: Revocation) -> None:
        """Drop the revocations that this one makes redundant, from all indexes."""
        near = self._of[revocation.target.token_id or revocation.target.user_id]
        # From a list: the loop removes items from the set that `near` is.
        for each in [each for each in near if each != revocation and revocation.covers(each)]:
            self.revocations.pop(each)
            self.announced.discard(each)
            for key in {each.target.user_id, each.target.token_id} - {None}:
                self._of[key].discard(each)


def _named(revocation: Revocation) -> Issued:
    return Issued(revocation.target.backend, revocation.target.user_id, revocation.target.token_id)
