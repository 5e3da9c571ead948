"""Messages name nothing that somebody who installed the package does not have."""

import ast
import re

import pytest

from tests.docs.pages import ROOT

SOURCE = ROOT / "src"
FILES = sorted(SOURCE.rglob("*.py"))
OF_THE_REPOSITORY = re.compile(r"\bdocs/|\.(md|rst)\b|\b(README|CHANGELOG|CONTRIBUTING)\b")


def texts(tree):
    """Return the texts of a module that are no docstrings: all messages are among them."""
    lone = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    constants = (each for each in ast.walk(tree) if isinstance(each, ast.Constant))
    return [
        each.value for each in constants if isinstance(each.value, str) and id(each) not in lone
    ]


def test_no_message_names_a_file_of_the_repository():
    assert FILES
    named = [
        f"{path.relative_to(SOURCE)}: {text}"
        for path in FILES
        for text in texts(ast.parse(path.read_text()))
        if OF_THE_REPOSITORY.search(text)
    ]
    assert named == []


@pytest.mark.parametrize("suffix", ["html", "js"])
def test_no_page_names_a_file_of_the_repository(suffix):
    pages = list(SOURCE.rglob(f"*.{suffix}"))
    assert pages
    assert [path.name for path in pages if OF_THE_REPOSITORY.search(path.read_text())] == []


def test_message_that_names_a_document_is_found():
    (text,) = texts(ast.parse('"""See docs/x.md."""\nhint = "docs/x.md shows it."'))
    assert OF_THE_REPOSITORY.search(text)
