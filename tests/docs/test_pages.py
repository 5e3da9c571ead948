"""Links in the documents resolve, and their tables list what the code has."""

import re
import tomllib

import pytest

import dev
from tests.docs.pages import PAGES, ROOT, anchors, links, read, table


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


@pytest.mark.parametrize("page", PAGES)
def test_page_that_installs_the_package_says_what_to_type_until_the_release(page):
    names_it = re.search(r"(pip|npm) install [^\n]*channels-token-auth", read(page))
    assert not names_it or "not released yet" in read(page)
