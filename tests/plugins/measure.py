"""Measure branch coverage in this process, where the environment variable `MEASURE` asks for it.

Python 3.14 counts branches itself (`sys.monitoring`), so it costs nothing there.

Loaded with `-p` before the other plugins, so that it runs before anything of the library is
imported, also in each worker of pytest-xdist. Servers that tests start are not measured; a program
that is a test in a process of its own calls `save_at_exit`, before it imports the library.
"""

import atexit
import os
from importlib import import_module

import pytest

__all__ = ["MEASURE", "save_at_exit"]

MEASURE = "MEASURE_COVERAGE"


def _started():
    if not os.environ.get(MEASURE):
        return None
    # Not imported above: it takes a tenth of a second in each process.
    measuring = import_module("coverage").Coverage(data_suffix=True)
    measuring.start()
    return measuring


_measuring = _started()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _measuring:
        _measuring.stop()
        _measuring.save()


def save_at_exit() -> None:
    """Save what this program has measured, as pytest does at the end of a run."""
    atexit.register(pytest_unconfigure)
