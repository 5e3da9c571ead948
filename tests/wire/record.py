"""Read and write the measurements of each server in the docs, which tests compare."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "Record"]

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
HINT = "If that is the new truth, keep it: pytest tests/wire --write-matrix"
DISTRIBUTIONS = {
    "daphne": ("daphne",),
    "uvicorn-sansio": ("uvicorn", "websockets"),
    "uvicorn-websockets": ("uvicorn", "websockets"),
    "uvicorn-wsproto": ("uvicorn", "wsproto"),
    "granian": ("granian",),
    "hypercorn": ("hypercorn",),
}


class Record:
    """Server → behaviour → what it did, and where it differs from all the others.

    Read from `servers.json`; while `is_writing`, made anew.
    """

    def __init__(self, *, is_writing: bool = False) -> None:
        self.path = FOLDER / "servers.json"
        self.is_writing = is_writing
        self.servers: dict[str, dict[str, Any]] = (
            {kind: {"versions": _versions(kind)} for kind in DISTRIBUTIONS}
            if is_writing
            else json.loads(self.path.read_text())
        )

    def check(self, kind: str, group: str, behaviour: str, seen: str) -> None:
        """Write it down, or assert that it is what is written."""
        if self.is_writing:
            self.servers[kind].setdefault(group, {})[behaviour] = seen
        known = self.servers[kind].get(group, {}).get(behaviour)
        assert seen == known, f"{kind}: {behaviour}: {seen}, and not {known}. {HINT}"

    def measure(self, kind: str, group: str, behaviour: str, value: float) -> None:
        """Write a number down: no test depends on the speed of a machine."""
        if self.is_writing:
            self.servers[kind].setdefault(group, {})[behaviour] = value

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.servers, indent=2) + "\n")


def _versions(kind: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS[kind])
