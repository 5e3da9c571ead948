"""Describe close codes from `spec/close_codes.json`, which a test keeps equal to the code."""

import json
from pathlib import Path
from typing import Any

from .markdown import code, table

__all__ = ["codes_table", "facts", "of_servers"]

SPEC = json.loads((Path(__file__).parents[2] / "spec" / "close_codes.json").read_text())
# The client column of the specification, as a page says it.
ACTIONS = {
    "stop": "stops",
    "login": "tries another token once, else asks the user to log in",
    "refresh": "fetches a new token and reconnects at once",
    "back_off": "reconnects after a random, growing wait",
}


def codes_table() -> str:
    """Return all codes, linked to their pages."""
    rows = [
        (
            f"[{row['close_code']}]({row['close_code']}.md)",
            code(row["slug"]),
            _http(row),
            _does(row),
        )
        for row in SPEC["codes"]
    ]
    return table(["code", "reason", "HTTP before accept", "the client"], rows)


def facts(close_code: str) -> str:
    """Return the facts of one code: a row for each reason that it may have."""
    rows = [
        (code(row["slug"]), _http(row), _does(row))
        for row in SPEC["codes"]
        if row["close_code"] == int(close_code)
    ]
    return table(["reason", "HTTP before accept", "the client"], rows)


def of_servers() -> str:
    """Return the codes that servers and proxies send, and the rule for any other code."""
    rows = [(row["close_code"], row["meaning"], _does(row)) for row in SPEC["servers"]]
    rows += [
        (f"any other from {row['from']} to {row['to']}", "unknown", _does(row))
        for row in SPEC["unknown"]
    ]
    rows.append(("anything else", "", ACTIONS[SPEC["otherwise"]]))
    return table(["code", "meaning", "the client"], rows)


def _http(row: dict[str, Any]) -> str:
    if row["http_status"] is None:
        return "–"
    challenge = f" {code(row['challenge'])}" if row["challenge"] else ""
    return f"{row['http_status']}{challenge}"


def _does(row: dict[str, Any]) -> str:
    return ACTIONS[row["client"]]
