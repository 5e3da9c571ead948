"""The pictures of a reader's walk are on a page, small, and described in words."""

import re

import pytest

from tests.docs.pages import ROOT, read

PAGE = "docs/tutorial/in-pictures.md"
FOLDER = ROOT / "docs" / "images" / "walk"
MOST_BYTES = 100_000
NAMES = ["connected", "deleted", "phone-dark", "phone-light", "readme", "signed-out", "tutorial"]


def shown():
    """Return the pictures of the page, each with its description."""
    return {name: text for text, name in re.findall(r"!\[(.*?)\]\(.*/(.*)\.png\)", read(PAGE))}


def test_page_shows_every_picture():
    assert sorted(shown()) == sorted(path.stem for path in FOLDER.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_picture_is_small(name):
    assert (FOLDER / f"{name}.png").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_picture_has_a_description(name):
    assert len(shown()[name].split()) > 5


def test_one_command_takes_them():
    assert "python -m docs.make_walk" in read(PAGE)
    taken = re.findall(r'_take\(.*f?"([\w-]+)', read("docs/make_walk.py"))
    assert {name for name in NAMES if name.startswith(tuple(taken))} == set(NAMES)
