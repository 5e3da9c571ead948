"""Links in the documents resolve, and their tables list what the code has."""

import re
import tomllib
from dataclasses import fields

import pytest

import dev
from channels_token_auth import conf
from channels_token_auth.core.authentication import Authentication
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


def test_readme_lists_every_setting_with_its_default():
    listed = {name: default for name, default, *_ in table("README.md", "setting")}
    actual = {name: _as_written(default) for name, (default, *_) in conf._TABLE.items()}
    assert listed == actual | {"BACKENDS": "required"}


def test_readme_lists_every_field_of_the_authentication():
    listed = [name for name, _ in table("README.md", "field")]
    assert listed == [field.name for field in fields(Authentication)]


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


def _as_written(default):
    return repr(default).replace("'", '"')
