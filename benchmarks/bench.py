"""The options of a run, and the function that reports its progress: every benchmark gets them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .contestants import CONTESTANTS, Contestant
from .run import in_rounds

__all__ = ["Bench"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The options of one run."""

    rounds: int
    quick: bool
    say: Callable[[str], None]
    only: tuple[str, ...] = ()  # contestants
    servers: tuple[str, ...] = ("granian", "uvicorn")
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    minutes: float | None = None  # of `day`
    sockets: int | None = None
    before: Path | None = None  # a checkout to compare with

    def contestants(self, *names: str) -> list[Contestant]:
        """Return the named contestants, or those of them that the command selects."""
        return [CONTESTANTS[name] for name in names if self.wants(name)]

    def contestants_and_before(self, *names: str) -> list[Contestant]:
        """Return `contestants`; with `before`, each of ours with that checkout's code as well."""
        listed = self.contestants(*names)
        if self.before is None:
            return listed
        ours = [each for each in listed if each.application.startswith("ours")]
        return [*listed, *(each.before(self.before) for each in ours)]

    def wants(self, name: str) -> bool:
        """Return whether the command names the contestant, or names none."""
        return not self.only or name in self.only

    def bases(self, among: Collection[Contestant], *names: str) -> tuple[str, ...]:
        """Return the names that others are divided by, if they are among those measured."""
        present = {each.name for each in among}
        before = (each.name for each in among if each.checkout)
        return (*(name for name in names if name in present), *before)

    def compare(
        self,
        title: str,
        measures: Mapping[Contestant, Callable[[Contestant], Any]],
        rounds: int | None = None,
    ) -> list[dict[str, Any]]:
        """Measure each contestant once a round, in shuffled order, and report the progress."""
        calls = {each.name: partial(measure, each) for each, measure in measures.items()}
        return in_rounds(calls, rounds or self.rounds, lambda line: self.say(f"{title}: {line}"))
