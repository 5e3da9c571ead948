"""Which tokens of one user are denied, where no row says so: one rule, however often it is set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

__all__ = ["Denial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Denies what was issued until `before`, but for one token.

    That one is denied only if it was issued until `floor`: by an earlier rule without it. Times are
    seconds since the epoch.
    """

    before: float
    except_token_id: str | None = None
    floor: float | None = None

    def covers(self, token_id: str, issued_at: float | None) -> bool:
        """Whether the token is denied. One that does not say when it was issued counts as old."""
        bound = self.floor if token_id == self.except_token_id else self.before
        return bound is not None and (issued_at is None or issued_at <= bound)

    def merged(self, older: "Denial | None") -> "Denial":
        """One rule that denies what either denies."""
        if older is None:
            return self
        first, second = sorted((older, self), key=lambda denial: denial.before)
        excepted = second.except_token_id
        floors = [second.floor, first.floor if excepted == first.except_token_id else first.before]
        return Denial(
            before=second.before,
            except_token_id=excepted,
            floor=max((floor for floor in floors if floor is not None), default=None),
        )

    def to_entry(self) -> dict[str, Any]:
        """As plain values: some caches write JSON."""
        return asdict(self)

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """Read it again."""
        return cls(**entry)
