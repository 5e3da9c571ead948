"""List the supported versions, with the results that `dev.py test --matrix` has recorded."""

import json
from typing import Any

from tools.matrix import DJANGOS, PACKAGES, RECORD, combinations
from tools.pythons import SUPPORTED

from .markdown import table

__all__ = ["GATE", "by_packages", "by_versions", "record"]

_SERVERS = ("daphne", "granian", "hypercorn", "uvicorn")
GATE = ((SUPPORTED[0], next(iter(DJANGOS))), (SUPPORTED[-1], list(DJANGOS)[-1]))
"""The combinations of the gate: both ends of the range, each with the Django that uv.lock has."""


def record() -> dict[str, Any]:
    """Return the recorded cells by name: `3.12-6.0` for a Python with a Django, or `lowest`."""
    return json.loads(RECORD.read_text())


def by_versions() -> str:
    """Return the table of Pythons and Djangos: what tests each, and the last recorded run."""
    cells = record()
    rows = [(*pair, _tested_by(pair), _last(cells["-".join(pair)])) for pair in combinations()]
    return table(("Python", "Django", "tested by", "last recorded run"), rows)


def by_packages() -> str:
    """Return the table of the lowest and the newest packages."""
    cells = record()
    rows = [(name, _last(cells[name]), *_servers(cells[name])) for name in PACKAGES]
    return table(("packages", "last recorded run", *_SERVERS), rows)


def _tested_by(pair: tuple[str, str]) -> str:
    return "the gate, and the matrix" if pair in GATE else "the matrix"


def _last(cell: dict[str, Any]) -> str:
    versions = f"Python {cell['python']}, Django {cell['django']}"
    return f"{versions}: {cell['passed']} tests passed on {cell['on']}"


def _servers(cell: dict[str, Any]) -> list[str]:
    return [cell["packages"][each] for each in _SERVERS]
