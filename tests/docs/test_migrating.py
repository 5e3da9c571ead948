"""Every migration page is a real project, before and after, and its outcomes are measured."""

import json

import pytest

from docs.generators import outcomes
from tests.docs.migrations import MIGRATIONS, OUTCOMES, measure
from tests.docs.pages import ROOT, read

RECORD = "run: python -m tests.docs.migrations, then python -m docs.generate"


@pytest.mark.slow
@pytest.mark.parametrize("name", MIGRATIONS)
def test_outcomes_are_those_on_the_page(name):
    assert measure(name) == json.loads(OUTCOMES.read_text())[name], RECORD


def test_every_page_is_measured_and_compared():
    pages = {path.stem for path in ROOT.glob("docs/how-to/migrating/*.md")} - {"index"}
    assert pages == set(MIGRATIONS) == set(outcomes.MEASURED)


def test_every_page_is_in_the_index():
    index = read("docs/how-to/migrating/index.md")
    assert [name for name in MIGRATIONS if f"({name}.md)" not in index] == []
