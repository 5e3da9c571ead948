"""Show what tests have measured with other packages and with this one."""

import json
from pathlib import Path

from .markdown import table

__all__ = ["brief", "comparison", "of_migration"]

ROOT = Path(__file__).parents[2]
MIGRATING = ROOT / "docs" / "how-to" / "migrating"
MEASURED: dict[str, dict[str, list[str]]] = json.loads((MIGRATING / "outcomes.json").read_text())
# The column heads of the comparison; the measured event that each shows.
EVENTS = {
    "a wrong token": ["a wrong token"],
    "a page of another site": ["a page of another site"],
    "the token ends": ["its token is deleted", "the user logs out", "the token expires"],
    "the user is deactivated": ["its user is deactivated"],
}
NAMES = {
    "tutorial-middleware": "twenty lines from a tutorial",
    "auth-middleware-stack": "Channels' `AuthMiddlewareStack`",
}


def of_migration(name: str) -> str:
    """Return the outcomes of one migration, before and after."""
    rows = [(what, before, after) for what, (before, after) in MEASURED[name].items()]
    return table(["what happens", "before", "after"], rows)


def comparison() -> str:
    """Return the outcomes of every package, in words."""
    return table(["package", *EVENTS], [[*_first(name), *_outcomes(name)] for name in MEASURED])


def brief() -> str:
    """Return the same as ticks: a wrong token is refused, a socket is closed."""
    rows = [["**channels-token-auth**", *("✓" for _ in EVENTS)]]
    rows += [[*_first(name), *map(_tick, _outcomes(name))] for name in MEASURED]
    heads = ["package", "refuses wrong tokens", "refuses foreign pages", "closes ended tokens"]
    return table([*heads, "closes deactivated users"], rows)


def _first(name: str) -> list[str]:
    return [NAMES.get(name, name)]


def _outcomes(name: str) -> list[str]:
    found = MEASURED[name]
    return [next((found[e][0] for e in events if e in found), "–") for events in EVENTS.values()]


def _tick(outcome: str) -> str:
    if outcome == "–":
        return "n/a"
    return "–" if outcome in ("connects as nobody", "is served", "stays open") else "✓"
