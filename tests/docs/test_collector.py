"""The settings of the garbage collector that the documentation recommends."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/deployment/index.md"
USERS = ("example/config/asgi.py", "benchmarks/project/asgi.py")


def thresholds(text):
    """Return the arguments of the only call of `gc.set_threshold` in a text."""
    _, _, rest = text.partition("gc.set_threshold")
    return ast.literal_eval(rest.partition("\n")[0])


@pytest.mark.parametrize("path", USERS)
def test_example_and_benchmarks_use_what_the_page_recommends(path):
    assert thresholds((ROOT / path).read_text()) == thresholds(PAGE.read_text())


def test_recommendation_does_not_examine_old_objects_more_often_than_python_itself():
    """Python 3.14 reads the second number only, and examines more at once the lower it is."""
    young, middle, old = thresholds(PAGE.read_text())
    assert young >= 2_000
    assert middle >= 10
    assert young * middle * old == 500_000  # as the page says
