"""Count how often each of a few names occurred in the last hour."""

from collections import Counter, deque

__all__ = ["MINUTES", "RecentCounts"]

MINUTES = 60
"""Minutes that are counted. Each minute has one count, so that memory is bounded."""


class RecentCounts:
    """Counts of names in the last hour. Times are seconds of a clock that never goes back.

    The names come from a closed set, such as the reasons of closes, so that few are kept.
    """

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, Counter[str]]] = deque(maxlen=MINUTES)

    def add(self, name: str, now: float) -> None:
        """Count one more."""
        minute = int(now // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1][name] += 1

    def counts(self, now: float) -> dict[str, int]:
        """Return how often each name occurred, the most frequent first."""
        since = int(now // 60) - MINUTES
        total: Counter[str] = Counter()
        for minute, counted in self._minutes:
            if minute > since:
                total.update(counted)
        return dict(total.most_common())
