"""The settings of the garbage collector that the documentation recommends."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/deployment/index.md"
USERS = ("example/config/asgi.py", "benchmarks/project/asgi.py")


def thresholds(text):
    """Return the arguments of `gc.set_threshold`, which is called before Python 3.14 only.

    Python 3.14 examines more old objects at once the lower the second number is.
    """
    call = r"if sys\.version_info < \(3, 14\):\s+gc\.set_threshold(\(.*\))"
    (arguments,) = re.findall(call, text)
    return ast.literal_eval(arguments)


@pytest.mark.parametrize("path", USERS)
def test_example_and_benchmarks_use_what_the_page_recommends(path):
    assert thresholds((ROOT / path).read_text()) == thresholds(PAGE.read_text())


def test_recommendation_examines_few_young_objects_at_once_and_rarely_all():
    young, middle, old = thresholds(PAGE.read_text())
    # A count has to exceed its threshold, and the next collection is then one of older objects.
    at_once = young * (middle + 2)
    assert at_once == 4_000  # as the page says
    assert at_once * (old + 2) == pytest.approx(500_000, rel=0.05)  # as the page says
