"""Rounds: everybody is measured once in each, in shuffled order, and compared within it."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

__all__ = ["Panel", "Spread", "in_rounds", "ratios", "spread"]

SEED = 1  # of the order, so that a run can be repeated
Round = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the lowest and highest beside it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measured quantity: a table and a plot. Who has no value in a round was not measured.

    `bases`: the contestants that the others are divided by. `facts`: more columns of the table.
    `faults`: why the run has failed.
    """

    title: str
    unit: str
    rounds: Sequence[Round]
    bases: tuple[str, ...] = ()
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    note: str = ""
    faults: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """All contestants, in the order in which they were named."""
        return list(dict.fromkeys(name for values in self.rounds for name in values))


def spread(values: Iterable[float]) -> Spread:
    """The median of some values, and how far they lie apart."""
    listed = sorted(values)
    return Spread(median(listed), listed[0], listed[-1])


def ratios(rounds: Iterable[Round], name: str, base: str) -> list[float]:
    """One contestant over another, each within one round: what slows the machine slows both."""
    both = (values for values in rounds if name in values and values.get(base))
    return [values[name] / values[base] for values in both]


def in_rounds(
    measures: Mapping[str, Callable[[], Any]], count: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Each measure once a round. Its results are in the order of `measures`, not of the round."""
    order = random.Random(SEED)  # noqa: S311 - no secret
    results = []
    for number in range(1, count + 1):
        names = order.sample(list(measures), k=len(measures))
        found = {}
        for name in names:
            found[name] = measures[name]()
            say(f"round {number}/{count}  {name}")
        results.append({name: found[name] for name in measures})
    return results
