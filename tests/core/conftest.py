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
        # pytest imports pdb, which imports asyncio itself from Python 3.14 on.
        absent = {"django"} if sys.version_info >= (3, 14) else {"asyncio", "django"}
        assert absent.isdisjoint(sys.modules), "A test has imported one of them."
