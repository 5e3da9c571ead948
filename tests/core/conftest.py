"""The core's tests need neither Django nor an event loop: a run of them alone proves it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _alone(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    # pytest.toml of this folder is read where no other tests run.
    if pytestconfig.rootpath == Path(__file__).parent:
        assert {"asyncio", "django"}.isdisjoint(sys.modules), "A test has imported one of them."
