"""List the requirements of OWASP ASVS 5.0, chapter by chapter, with our answers and their tests.

The answers are in `docs/security/asvs.json`. Tests name the requirements that they prove, with the
marker `asvs`.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .markdown import table

__all__ = [
    "CHAPTERS",
    "HOLDS",
    "LIMITED",
    "answers",
    "limits",
    "proofs",
    "requirements",
]

ROOT = Path(__file__).parents[2]
MARKER = "pytest.mark.asvs"
HOLDS = ("holds", "holds in part")
"""The statuses that a test has to prove."""

LIMITED = ("holds in part", "does not hold")
"""The statuses whose entry has a `limit`: what does not hold, and why."""

CHAPTERS = {
    "1.2": "Injection prevention",
    "2.2": "Input validation",
    "2.3": "Business logic",
    "2.4": "Anti-automation",
    "3.4": "Browser security headers",
    "3.5": "Browser origin separation",
    "4.1": "Web services",
    "4.2": "HTTP messages",
    "4.3": "GraphQL",
    "4.4": "WebSocket",
    "6.3": "Authentication",
    "7": "Sessions",
    "8": "Authorization",
    "9": "Self-contained tokens",
    "10.3": "OAuth resource server",
    "10.5": "OpenID Connect client",
    "13.2": "Backend communication",
    "14.2": "Data protection",
    "14.3": "Client-side data",
    "15.2": "Architecture",
    "15.3": "Defensive coding",
    "15.4": "Concurrency",
    "16": "Logging and errors",
}


def answers() -> Sequence[Mapping[str, str]]:
    """Return the requirements with our answers, in order.

    `limit`, in some: what does not hold, and why.
    """
    found: Sequence[Mapping[str, str]]
    found = json.loads((ROOT / "docs" / "security" / "asvs.json").read_text())
    return found


def proofs() -> Mapping[str, Sequence[str]]:
    """Return the tests that prove each requirement, as `path::name`."""
    by_number: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if MARKER not in text:
            continue  # quick: few modules have it
        for name, number in _marked(ast.parse(text)):
            by_number[number].append(f"{path.relative_to(ROOT)}::{name}")
    return by_number


def limits() -> str:
    """Return a list of what does not hold, or in part only."""
    return "\n".join(
        f"- **{each['number']} {each['requirement']}**: {each['limit']}"
        for each in answers()
        if "limit" in each
    )


def requirements() -> str:
    """Return a section for each chapter: a table of requirements, answers and tests."""
    proven = proofs()
    return "\n\n".join(
        f"## {chapter} {title}\n\n{_table(_of(chapter), proven)}"
        for chapter, title in CHAPTERS.items()
        if _of(chapter)
    )


def _of(chapter: str) -> Sequence[Mapping[str, str]]:
    return [each for each in answers() if each["number"].startswith(f"{chapter}.")]


def _table(rows: Sequence[Mapping[str, str]], proven: Mapping[str, Sequence[str]]) -> str:
    heads = ("ASVS", "requirement", "", "answer", "tests")
    return table(
        heads,
        (
            (
                each["number"],
                each["requirement"],
                each["status"],
                _answer(each),
                ", ".join(map(_link, proven.get(each["number"], ()))),
            )
            for each in rows
        ),
    )


def _answer(entry: Mapping[str, str]) -> str:
    limit = [f"*But:* {entry['limit']}"] if "limit" in entry else []
    return " ".join([*filter(None, [entry.get("answer")]), *limit])


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../{path})"


def _marked(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from ((node.name, number) for number in _numbers(decorator))


def _numbers(decorator: Any) -> Sequence[str]:
    is_ours = isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARKER
    return [ast.literal_eval(each) for each in decorator.args] if is_ours else []
