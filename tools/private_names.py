"""Keep tests off private names and sentences: `python -m tools.private_names`, in `dev.py lint`.

A test that reads `sweep._timer` breaks when code moves, although nothing has changed for users.
Where nothing public shows a fact, a comment next to it gives the reason: `# private: <why>`. Their
number is fixed, so that it can only fall.

A sentence may be improved at any time. So tests assert ids, codes and events. The number of
sentences that reach an assert, there or through a variable or a parameter, is fixed as well. Most
of those that are left are the output of a command or a page, or input that comes back.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tools.asserted import asserted, name_of

__all__ = ["ALLOWED", "findings", "main", "private_names", "reasons", "sentences"]

ROOT = Path(__file__).resolve().parents[1]
REASON = re.compile(r"# private: \w+")
ALLOWED = 3
"""Most lines with a reason. Lower it when you remove one."""

ALLOWED_SENTENCES = 81
"""Most sentences that reach an assert of a test. Lower it when you remove one."""

SENTENCE = re.compile(r"[a-z]{2,} [a-z]+ [a-z]+")

_PRIVATE = re.compile(r"\b_\w+")
_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Functions, and methods of `monkeypatch` and `operator`, that take a name as a text.
_TAKING_NAMES = {"attrgetter", "delattr", "getattr", "hasattr", "methodcaller", "setattr"}
# Names of Django that the library has too, or sets.
_OF_OTHERS = {"_cache", "_default_manager", "_meta", "_state", "_value_"}


def main() -> int:
    """Print each access to a private name without a reason, and a wrong number of reasons."""
    names = private_names(ROOT / "src")
    folders = [ROOT / "tests", ROOT / "benchmarks"]
    lines = [line for folder in folders for line in findings(folder, names)]
    if (count := sum(map(reasons, folders))) > ALLOWED:
        lines.append(f"{count} lines say '# private:', and {ALLOWED} are allowed: use public names")
    found = list(sentences(ROOT / "tests"))
    if len(found) > ALLOWED_SENTENCES:
        lines += [*found, f"{len(found)} sentences, and {ALLOWED_SENTENCES} are allowed: see above"]
    print("\n".join(lines) or "Tests rely on public names.")
    return int(bool(lines))


def private_names(folder: Path) -> set[str]:
    """Return the names that the code in a folder defines for itself: they begin with one `_`."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, _DEFINITIONS):
                found.add(node.name)
            elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return {name for name in found if _is_private(name)} - _OF_OTHERS


def reasons(folder: Path) -> int:
    """Return how many comments in a folder give a reason."""
    sources = (path.read_text() for path in folder.rglob("*.py"))
    return sum(
        kind == tokenize.COMMENT and bool(REASON.match(text))
        for source in sources
        if REASON.search(source)  # quick: few files have one
        for kind, text, *_ in tokenize.generate_tokens(io.StringIO(source).readline)
    )


def sentences(folder: Path) -> Iterator[str]:
    """Yield a line for each text of several words that a test compares with an answer."""
    for path in sorted(folder.rglob("*.py")):
        for each in asserted(ast.parse(path.read_text())):
            if SENTENCE.search(str(each.value)):
                yield f"{path}:{each.lineno}: {each.value!r}"


def findings(folder: Path, names: set[str]) -> Iterator[str]:
    """Yield a line for each access from outside to one of these names that gives no reason."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        if names.isdisjoint(_PRIVATE.findall(text)):
            continue  # quick: four of five files have none
        lines = text.splitlines()
        for number, name in _accesses(ast.parse(text)):
            # The formatter may move a comment to the next line, with the bracket that closes.
            nearby = "\n".join(lines[max(number - 3, 0) : number + 2])
            if name in names and not REASON.search(nearby):
                yield f"{path}:{number}: {name!r} is private: use a public name, or say why"


def _accesses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that are read, replaced or removed: by a dot, an import or a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not _is_own(node.value):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.Call) and name_of(node.func) in _TAKING_NAMES:
            for each in node.args:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield from ((each.lineno, name) for name in each.value.split("."))


def _is_own(node: ast.expr) -> bool:
    """Return True for `self` and `cls`: a class may use its own private names."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


if __name__ == "__main__":
    sys.exit(main())
