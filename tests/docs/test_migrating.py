"""Every migration page is a real project, before and after, and its outcomes are measured."""

import json

import pytest

from docs.generators import outcomes
from tests.docs.migrations import MIGRATIONS, OUTCOMES, after, before
from tests.docs.pages import ROOT, read

RECORD = "run: python -m tests.docs.migrations, then python -m docs.generate"


def on_the_page(name, column):
    recorded = json.loads(OUTCOMES.read_text())[name]
    return {what: outcomes[column] for what, outcomes in recorded.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MIGRATIONS)
def test_outcomes_after_a_migration_are_those_on_its_page(name):
    recorded = on_the_page(name, 1)
    assert after(name, recorded) == recorded, RECORD


@pytest.mark.slow
@pytest.mark.measured  # it shows what other packages do, which this one does not promise
@pytest.mark.parametrize("name", MIGRATIONS)
def test_outcomes_before_a_migration_are_those_on_its_page(name):
    recorded = on_the_page(name, 0)
    assert before(name, recorded) == recorded, RECORD


def test_every_page_is_measured_and_compared():
    pages = {path.stem for path in ROOT.glob("docs/how-to/migrating/*.md")} - {"index"}
    assert pages == set(MIGRATIONS) == set(outcomes.MEASURED)


def test_every_page_is_in_the_index():
    index = read("docs/how-to/migrating/index.md")
    assert [name for name in MIGRATIONS if f"({name}.md)" not in index] == []
