"""The core's tests need neither Django nor an event loop: a run of them alone proves it."""

import sys
from collections.abc import Iterator

import pytest

from tests.plugins.database import is_core_only


@pytest.fixture(scope="session", autouse=True)
def _without_django(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    if is_core_only(pytestconfig.args):
        assert "django" not in sys.modules, "A test of the core has imported Django."
