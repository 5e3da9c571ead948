"""Links in the documents resolve, and their tables list what the code has."""

import re
import tomllib

import hypothesis
import pytest

import dev
from tests.__main__ import SLOWEST
from tests.docs.pages import PAGES, ROOT, anchors, links, read, table
from tests.plugins.slow import LIMIT, LIMIT_BY_THE_CLOCK


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), f"{page} links to {target}, which is not there"
        assert not anchor or anchor in anchors(str(linked.relative_to(ROOT))), target


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_dev_are_real(page):
    assert set(re.findall(r"python3 dev\.py (\w+)", read(page))) <= set(dev.COMMANDS)


def test_contributing_lists_every_floor_in_order():
    project = tomllib.loads(read("pyproject.toml"))
    (layers,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["id"] == "floors"
    )
    listed = [
        re.split(", ", floor) for floor, *_ in table("CONTRIBUTING.md", "floor, highest first")
    ]
    assert listed == [re.split(r" [:|] ", layer) for layer in layers]


def test_contributing_lists_every_folder_of_tests():
    listed = {folder for folder, _ in table("CONTRIBUTING.md", "folder")}
    assert listed == {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("tests/*/test_*.py")}


def test_contributing_names_the_numbers_of_the_gate():
    text = " ".join(read("CONTRIBUTING.md").split())
    coverage = tomllib.loads(read("pyproject.toml"))["tool"]["coverage"]["report"]["fail_under"]
    profiles = [hypothesis.settings.get_profile(name) for name in ("gate", "full")]
    for expected in (
        f"{coverage} % branch coverage",
        f"its {SLOWEST} slowest tests",
        f"the {SLOWEST} modules",
        f"than {LIMIT:.0f} s of processor",
        f"{2 * LIMIT:.0f} s with",
        f"{LIMIT_BY_THE_CLOCK:.0f} s by",
    ):
        assert expected in text
    assert re.findall(r"(\d+) (?:examples|at random)", text) == [
        str(profile.max_examples) for profile in profiles
    ]


@pytest.mark.parametrize("page", PAGES)
def test_page_that_installs_the_package_says_what_to_type_until_the_release(page):
    names_it = re.search(r"(pip|npm) install [^\n]*channels-token-auth", read(page))
    assert not names_it or "not released yet" in read(page)
