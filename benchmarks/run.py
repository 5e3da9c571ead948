"""Measure contestants in rounds: each once a round, in shuffled order, compared within it."""

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
    """A median, with the lowest and the highest value."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measured quantity: a table and a plot. A contestant without a value was not measured.

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
        """Return all contestants, in the order in which they were named."""
        return list(dict.fromkeys(name for values in self.rounds for name in values))


def spread(values: Iterable[float]) -> Spread:
    """Return the median, the lowest and the highest of some values."""
    listed = sorted(values)
    return Spread(median(listed), listed[0], listed[-1])


def ratios(rounds: Iterable[Round], name: str, base: str) -> list[float]:
    """Return one contestant's values divided by another's, within each round.

    A machine that is slow in a round slows both.
    """
    both = (values for values in rounds if name in values and values.get(base))
    return [values[name] / values[base] for values in both]


def in_rounds(
    measures: Mapping[str, Callable[[], Any]], count: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Call each measure once a round. Its results have the order of `measures`."""
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
