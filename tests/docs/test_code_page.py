"""The page about the code names modules that exist, and every package."""

import re

import pytest

from tests.docs.pages import ROOT, read

PAGE = "docs/explanation/the-code.md"
SOURCE = ROOT / "src/channels_token_auth"
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
FENCES = re.findall(r"^```text\n(.*?)^```$", read(PAGE), re.MULTILINE | re.DOTALL)
*JOURNEYS, TREE = FENCES


@pytest.mark.parametrize("journey", JOURNEYS, ids=["handshake", "revocation", "sweep"])
def test_modules_of_a_diagram_exist(journey):
    named = re.findall(r"\b[a-z_]+(?:/[a-z_]+)+", journey)
    modules = [SOURCE / each for each in named if each.split("/")[0] in PACKAGES]
    assert len(modules) >= 8
    missing = [path for path in modules if not (path.is_dir() or path.with_suffix(".py").exists())]
    assert missing == []


@pytest.mark.parametrize("journey", JOURNEYS, ids=["handshake", "revocation", "sweep"])
def test_functions_of_a_diagram_exist(journey):
    code = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    names = set(re.findall(r"(?<![.\w])([a-z_]+)\(\)", journey))
    assert {name for name in names if f"def {name}(" not in code} == set()


def test_every_package_has_a_purpose_in_the_tree():
    lines = [line.split(maxsplit=1) for line in TREE.splitlines()]
    assert len(lines) == len(list(SOURCE.rglob("__init__.py")))
    assert all(len(purpose) > 20 for _, purpose in lines)
