"""Find the modules of tests that a step needs, by the markers that they carry.

A step of few tests would otherwise collect thousands, in each worker, to deselect nearly all. A
marker is therefore written in the module whose tests carry it; `tests/plugins/markers.py` fails a
test that carries one from elsewhere.
"""

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["MARKERS", "modules"]

TESTS = Path(__file__).parents[1]
# How each marker shows in the text of a module. Hypothesis marks its tests itself.
MARKERS = {
    "database": re.compile(r"mark\.database"),
    "measured": re.compile(r"mark\.measured"),
    "hypothesis": re.compile(r"hypothesis"),
    "slow": re.compile(r"mark\.slow"),
}


def modules(folders: Sequence[str], markers: Sequence[str]) -> list[str]:
    """Return the paths of the modules in these folders that name one of the markers."""
    files = sorted(path for folder in folders for path in (TESTS / folder).rglob("test_*.py"))
    return [
        str(path.relative_to(TESTS.parent))
        for path in files
        if any(MARKERS[marker].search(path.read_text()) for marker in markers)
    ]
