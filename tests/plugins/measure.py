"""Measure branch coverage in this process, where the environment variable `MEASURE` asks for it.

Loaded with `-p` before the other plugins, so that it runs before anything of the library is
imported, also in each worker of pytest-xdist. Servers that tests start are not measured.
"""

import os

import coverage
import pytest

__all__ = ["MEASURE"]

MEASURE = "MEASURE_COVERAGE"


def _started() -> coverage.Coverage | None:
    if not os.environ.get(MEASURE):
        return None
    measuring = coverage.Coverage(data_suffix=True)
    measuring.start()
    return measuring


_measuring = _started()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _measuring:
        _measuring.stop()
        _measuring.save()
