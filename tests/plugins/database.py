"""The pytest option --database: which database the tests run on.

`postgresql` starts a server for this run and keeps only the tests marked `database`: those whose
outcome a database decides. Loaded with `-p`, since it must come before pytest-django's settings.
"""

import json
import os
from contextlib import ExitStack

import pytest

from tests.services import postgresql


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database to test on; postgresql runs only what is marked `database`",
    )


@pytest.hookimpl(wrapper=True)  # a wrapper comes before everybody's plain hooks
def pytest_load_initial_conftests(early_config: pytest.Config):
    if early_config.known_args_namespace.database == "postgresql":
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        server = stack.enter_context(postgresql())
        os.environ["TEST_DATABASE"] = json.dumps(server.settings)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "database: runs on PostgreSQL too, since it may differ there"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.database == "postgresql":
        unmarked = [item for item in items if not item.get_closest_marker("database")]
        config.hook.pytest_deselected(items=unmarked)
        items[:] = [item for item in items if item.get_closest_marker("database")]
