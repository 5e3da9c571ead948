"""Files, functions and folders of the library stay small enough to be read at once."""

import ast
from collections import Counter

from tests.docs.pages import ROOT

MAX_LINES, MAX_FUNCTION, MAX_FILES = 250, 35, 14
FILES = sorted((ROOT / "src").rglob("*.py"))
TYPESCRIPT = [
    path
    for folder in ("client", "client/src", "client/tests")
    for path in sorted((ROOT / folder).glob("*.ts"))
]


def test_no_file_is_too_long():
    assert FILES
    assert TYPESCRIPT
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in [*FILES, *TYPESCRIPT]
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_function_is_too_long():
    functions = (
        (f"{path.name}: {node.name}", length(node))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {name: lines for name, lines in functions if lines > MAX_FUNCTION} == {}


def test_no_folder_has_too_many_files():
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in FILES)
    assert {name: number for name, number in folders.items() if number > MAX_FILES} == {}


def length(function):
    """Return the lines of a function, from its `def` to its end.

    A docstring does not count, so that no limit makes it shorter than its readers need.
    """
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function):
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines
