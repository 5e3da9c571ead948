"""One running example for all tests that do not need one of their own."""

import pytest

from tests.example.system import ExampleSystem


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    with ExampleSystem(tmp_path_factory.mktemp("example")) as running:
        yield running


@pytest.fixture(scope="session")
def token(system):
    """The token of `suraj`; no test ends it."""
    return system.token()
