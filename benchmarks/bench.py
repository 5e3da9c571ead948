"""What every benchmark gets: how much to do, and where to say how far it is."""

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
        """Those of a benchmark, or of them those that were asked for."""
        return [CONTESTANTS[name] for name in names if self.wants(name)]

    def contestants_and_before(self, *names: str) -> list[Contestant]:
        """Return `contestants`; with `before`, each of ours with that checkout's code as well."""
        listed = self.contestants(*names)
        if self.before is None:
            return listed
        ours = [each for each in listed if each.application.startswith("ours")]
        return [*listed, *(each.before(self.before) for each in ours)]

    def wants(self, name: str) -> bool:
        """Return whether a contestant was asked for, or none in particular."""
        return not self.only or name in self.only

    def bases(self, among: Collection[Contestant], *names: str) -> tuple[str, ...]:
        """Those that ratios are to be taken over, as far as they are measured."""
        present = {each.name for each in among}
        before = (each.name for each in among if each.checkout)
        return (*(name for name in names if name in present), *before)

    def compare(
        self,
        title: str,
        measures: Mapping[Contestant, Callable[[Contestant], Any]],
        rounds: int | None = None,
    ) -> list[dict[str, Any]]:
        """Each measured once a round, in shuffled order, saying so."""
        calls = {each.name: partial(measure, each) for each, measure in measures.items()}
        return in_rounds(calls, rounds or self.rounds, lambda line: self.say(f"{title}: {line}"))
