"""Check the language of the code and the documents: `python -m tools.prose`, part of `dev.py lint`.

A docstring names its subject. Those that open with a pronoun or a question word are riddles: the
reader learns what they are about at the end, if at all. And a concept has one name, the one by
which people of the field look for it: `words` lists the names that must not return.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .words import IN_CODE, IN_DOCUMENTS, parts_of

__all__ = ["findings", "forbidden_names", "forbidden_words", "main"]

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src",)
# Folders of which docstrings alone are checked.
DOCSTRINGS_IN = ("benchmarks", "docs", "example", "fuzz", "release", "spec", "tools")
DOCUMENTS = ("*.md", "docs/**/*.md", "spec/**/*.md", "spec/vectors/*.json", "client/src/*.ts")
RIDDLE = re.compile(r"(What|Whether|Those|Whose|Of|It|The same|Who|Whom|Where|That)\b")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Not a part of a name such as `single_flight`, or of a token such as "He-3x".
_WORD = re.compile(r"(?<![\w-])[A-Za-z]+(?![\w-])")
_IDENTIFIER = re.compile(r"\w+")
_PROSE = (tokenize.COMMENT, tokenize.STRING)


def main() -> int:
    """Print each docstring that opens badly, and each forbidden word. Return 1 if there is one."""
    lines = [line for folder in FOLDERS for line in _findings_in_code(ROOT / folder)]
    lines += [line for folder in DOCSTRINGS_IN for line in findings(ROOT / folder)]
    lines += [line for pattern in DOCUMENTS for line in _findings_in_documents(pattern)]
    print("\n".join(lines) or "All docstrings name their subject, in the field's words.")
    return int(bool(lines))


def findings(folder: Path) -> Iterator[str]:
    """Yield a line for each docstring in a folder that opens with such a word."""
    for path in sorted(folder.rglob("*.py")):
        for number, text in _docstrings(ast.parse(path.read_text())):
            if opening := RIDDLE.match(text):
                yield f"{path}:{number}: a docstring opens with {opening[0]!r}: {text[:60]!r}"


def forbidden_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the advice of each identifier that contains a forbidden word."""
    for token in _tokens(source):
        if token.type == tokenize.NAME:
            for part in parts_of(token.string):
                if part in IN_CODE:
                    yield token.start[0], f"{token.string!r}: {IN_CODE[part]}"


def forbidden_words(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the advice of each forbidden word in comments, docstrings and texts."""
    for token in _tokens(source):
        if token.type in _PROSE:
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                yield from ((number, advice) for advice in _advice(line, IN_CODE))


@cache
def _tokens(source: str) -> list[tokenize.TokenInfo]:
    """Return the tokens of a file, or none if no word of it is forbidden: that is quick to see."""
    words = set(_IDENTIFIER.findall(source))
    if IN_CODE.keys().isdisjoint(
        part for each in words for part in (each.lower(), *parts_of(each))
    ):
        return []
    return list(tokenize.generate_tokens(io.StringIO(source).readline))


def _findings_in_code(folder: Path) -> Iterator[str]:
    yield from findings(folder)
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text()
        for found in (forbidden_names(source), forbidden_words(source)):
            yield from (f"{path}:{number}: {advice}" for number, advice in found)


def _findings_in_documents(pattern: str) -> Iterator[str]:
    for path in sorted(ROOT.glob(pattern)):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield from (f"{path}:{number}: {each}" for each in _advice(line, IN_DOCUMENTS))


def _advice(line: str, words: dict[str, str]) -> Iterator[str]:
    for word in _WORD.findall(line):
        if word.lower() in words:
            yield f"{word!r}: {words[word.lower()]}"


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
