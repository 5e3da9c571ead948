"""Show what was measured with other packages and with this one: by tests, and by benchmarks."""

import json
from pathlib import Path
from statistics import median

from .markdown import table

__all__ = ["brief", "comparison", "of_migration", "speed"]

ROOT = Path(__file__).parents[2]
MIGRATING = ROOT / "docs" / "how-to" / "migrating"
HANDSHAKES = ROOT / "benchmarks" / "results" / "handshakes.json"
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


def speed() -> str:
    """Return how many times the handshakes of the tutorial's middleware are served."""
    measured = json.loads(HANDSHAKES.read_text())
    panels = {panel["title"].split(",")[0]: panel["rounds"] for panel in measured["panels"]}
    granian, uvicorn = panels["granian"], panels["uvicorn"]
    return (
        f"[Speed](docs/explanation/fast-path.md): {_times(granian, 'ours-stock')} times the "
        f"handshakes of those twenty lines on granian, {_times(uvicorn, 'ours-stock')} on uvicorn; "
        f"with [our consumer](docs/how-to/consumers.md) {_times(granian, 'ours')} and "
        f"{_times(uvicorn, 'ours')}\n({measured['facts']['command']}, "
        "[results](benchmarks/results/handshakes.md))."
    )


def _times(rounds: list[dict[str, float]], name: str) -> str:
    """Return the median of the ratios within each round, as the page of results shows it."""
    return f"{median(each[name] / each['tutorial'] for each in rounds):.1f}"


def _first(name: str) -> list[str]:
    return [NAMES.get(name, name)]


def _outcomes(name: str) -> list[str]:
    found = MEASURED[name]
    return [next((found[e][0] for e in events if e in found), "–") for events in EVENTS.values()]


def _tick(outcome: str) -> str:
    if outcome == "–":
        return "n/a"
    return "–" if outcome in ("connects as nobody", "is served", "stays open") else "✓"
