"""List the supported versions, with the results that `dev.py test --matrix` has recorded."""

import json
from collections.abc import Iterable
from typing import Any

from tools.matrix import PACKAGES, RECORD, combinations

from .markdown import table

__all__ = ["by_packages", "by_versions", "record"]

_SERVERS = ("daphne", "granian", "hypercorn", "uvicorn")
_NOT_RUN = "–"


def record() -> dict[str, Any]:
    """Return the recorded cells by name: `3.12-6.0` for a Python with a Django, or `lowest`."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


def by_versions() -> str:
    """Return the table of Pythons and Djangos, with the exact versions and the day of the run."""
    cells = record()
    rows = [(*pair, *_result(cells.get("-".join(pair)))) for pair in combinations()]
    return table(("Python", "Django", "exactly", "tests passed", "on"), rows)


def by_packages() -> str:
    """Return the table of the lowest and the newest packages."""
    cells = record()
    rows = [(name, *_result(cells.get(name)), *_servers(cells.get(name))) for name in PACKAGES]
    return table(("packages", "exactly", "tests passed", "on", *_SERVERS), rows)


def _result(cell: dict[str, Any] | None) -> Iterable[str]:
    if cell is None:
        return (_NOT_RUN,) * 3
    return f"Python {cell['python']}, Django {cell['django']}", str(cell["passed"]), cell["on"]


def _servers(cell: dict[str, Any] | None) -> Iterable[str]:
    return [cell["packages"][each] if cell else _NOT_RUN for each in _SERVERS]
