"""Check how docstrings open: `python -m tools.prose`, a part of `dev.py lint`.

A docstring names its subject. Those that open with a pronoun or a question word are riddles: the
reader learns what they are about at the end, if at all.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["findings", "main"]

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src",)
RIDDLE = re.compile(r"(What|Whether|Those|Whose|Of|It|The same|Who|Whom|Where|That)\b")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> int:
    """Print each docstring that opens badly. Return 1 if there is one."""
    lines = [line for folder in FOLDERS for line in findings(ROOT / folder)]
    print("\n".join(lines) or "All docstrings name their subject.")
    return int(bool(lines))


def findings(folder: Path) -> Iterator[str]:
    """Yield a line for each docstring in a folder that opens with such a word."""
    for path in sorted(folder.rglob("*.py")):
        for number, text in _docstrings(ast.parse(path.read_text())):
            if opening := RIDDLE.match(text):
                yield f"{path}:{number}: a docstring opens with {opening[0]!r}: {text[:60]!r}"


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of modules, classes and functions, and the strings below attributes."""
    for node in ast.walk(tree):
        for statement in node.body if isinstance(node, _DOCUMENTED) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                if isinstance(text, str):
                    yield statement.lineno, text.strip()


if __name__ == "__main__":
    sys.exit(main())
