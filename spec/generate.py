"""Write the tables of close codes from close_codes.json: `python -m spec.generate`.

A file receives a table between two comments, in whatever way its language writes comments:

    <!-- close-codes:protocol -->
    <!-- close-codes:end -->

The name after the colon selects one of `TABLES`. The pages of `docs/` have their own generator,
which reads the same JSON file.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["TABLES", "filled", "main", "targets"]

ROOT = Path(__file__).parents[1]
SPEC = json.loads((ROOT / "spec" / "close_codes.json").read_text())
CODES: list[dict[str, Any]] = SPEC["codes"]
PATTERNS = [
    "*.md",
    "spec/*.md",
    "spec/*.html",
    "client/src/*.ts",
    "src/channels_token_auth/core/**/*.py",
    "src/channels_token_auth/observability/*.py",
]
BLOCK = re.compile(
    r"(^[^\n]*close-codes:([a-z-]+)\b[^\n]*\n)(.*?)(^[^\n]*close-codes:end)",
    re.MULTILINE | re.DOTALL,
)
ACTIONS = {"stop": "stops", "login": "logs in", "refresh": "fresh token", "back_off": "backs off"}
"""The names of the client's actions in PROTOCOL.md, which explains them."""
AS_VERBS = {"stop": "stop", "login": "log in", "refresh": "fresh token", "back_off": "back off"}
"""The names of the client's actions in client.html."""


def protocol() -> str:
    """Return PROTOCOL.md's table."""
    head = ["code", "slug", "HTTP before accept", "meaning", "the client"]
    return markdown(head, ([*facts(row), row["meaning"], ACTIONS[row["client"]]] for row in CODES))


def facts(row: dict[str, Any]) -> list[str]:
    return [str(row["close_code"]), f"`{row['slug']}`", http(row)]


def http(row: dict[str, Any]) -> str:
    challenge = f" `{row['challenge']}`" if row["challenge"] else ""
    return f"{row['http_status']}{challenge}" if row["http_status"] else "–"


def markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = (f"| {' | '.join(cells)} |" for cells in (head, *rows))
    return "\n".join([next(lines), "|---" * len(head) + "|", *lines])


def typescript() -> str:
    """Return the tables of the TypeScript client: without what follows from the ranges."""
    actions = {code: row["client"] for code, row in by_close_code().items()}
    special = {code: action for code, action in actions.items() if action != by_range(code)}
    return "\n".join(
        [
            "const TABLE = {",
            *(f"  {row['slug']}: {row['close_code']}," for row in CODES),
            "} as const;",
            "",
            "// Every other code: stop from 4400 to 4499, else back off.",
            "const ACTIONS: Record<number, Action> = {",
            *(f'  {code}: "{action}",' for code, action in special.items()),
            "};",
        ]
    )


def by_range(code: int) -> str:
    """Return what a client does on a code that it does not know."""
    actions = (row["client"] for row in SPEC["unknown"] if row["from"] <= code <= row["to"])
    return str(next(actions, SPEC["otherwise"]))


def javascript() -> str:
    """Return the table of client.html."""
    lines = []
    for code, row in by_close_code().items():
        slugs = [each["slug"] for each in CODES if each["close_code"] == code]
        lines.append(f"  {code}: {json.dumps([AS_VERBS[row['client']], *slugs])},")
    return "\n".join(["const ROWS = {", *lines, "};"])


def python_enum() -> str:
    """Return the members of the enum in Python's core."""
    return "\n".join(f'    {row["slug"].upper()} = "{row["slug"]}"' for row in CODES)


def python_table() -> str:
    """Return the table in Python's core."""
    rows = [f"    CloseReason.{row['slug'].upper()}: {python_row(row)}," for row in CODES]
    return "\n".join(["TABLE: dict[CloseReason, Row] = {", *rows, "}"])


def python_row(row: dict[str, Any]) -> str:
    challenge = json.dumps(row["challenge"]) if row["challenge"] else None
    flags = "".join(f", {name}=True" for name in ("retry", "transient") if row[name])
    return f"Row({row['close_code']}, {row['http_status']}, {challenge}{flags})"


def python_remedies() -> str:
    """Return what the log tells developers about each reason that has no details of its own."""
    rows = [f"    CloseReason.{row['slug'].upper()}: {json.dumps(row['remedy'])}," for row in CODES]
    return "\n".join(["REMEDIES: dict[CloseReason, str] = {", *rows, "}"])


def by_close_code() -> dict[int, dict[str, Any]]:
    """Return one row for each close code: those of one code have the same action."""
    return {row["close_code"]: row for row in CODES}


TABLES: dict[str, Callable[[], str]] = {
    "protocol": protocol,
    "typescript": typescript,
    "javascript": javascript,
    "python-enum": python_enum,
    "python-table": python_table,
    "python-remedies": python_remedies,
}


def filled(text: str) -> str:
    """Return a file's text with its tables up to date."""
    return BLOCK.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[4]}", text)


def targets() -> list[Path]:
    """Return every file that has a table."""
    files = {path for pattern in PATTERNS for path in ROOT.glob(pattern)}
    return sorted(path for path in files if BLOCK.search(path.read_text()))


def main() -> None:
    """Write all tables."""
    for path in targets():
        path.write_text(filled(path.read_text()))


if __name__ == "__main__":
    main()
