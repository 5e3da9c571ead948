"""Choose the settings and the database of a run, before pytest-django reads them.

Loaded with `-p`, since pytest-django reads the settings while conftest files are loaded.
"""

import json
import os
from contextlib import ExitStack
from importlib import import_module

import pytest

from tests.services import postgresql


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database to test on; postgresql runs only what is marked `database`",
    )


@pytest.hookimpl(wrapper=True)  # a wrapper runs before the hooks of all other plugins
def pytest_load_initial_conftests(early_config: pytest.Config):
    known = early_config.known_args_namespace
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    # With pytest-xdist each worker has a server, and the process that runs no test has none.
    runs_tests = "PYTEST_XDIST_WORKER" in os.environ or not getattr(known, "numprocesses", None)
    if known.database == "postgresql" and runs_tests:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        server = stack.enter_context(postgresql())
        os.environ["TEST_DATABASE"] = json.dumps(server.settings)
    return (yield)


def pytest_sessionstart() -> None:
    # Not imported above: they need Django, which reads the settings.
    import_module("tests.commits").delete_instead_of_flushing()
    import_module("tests.patience").wait_for_a_minute()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.database == "postgresql":
        unmarked = [item for item in items if not item.get_closest_marker("database")]
        config.hook.pytest_deselected(items=unmarked)
        items[:] = [item for item in items if item.get_closest_marker("database")]
