"""Show what benchmarks have measured, from the files in benchmarks/results.

A run that records results changes these texts with the next `python -m docs.generate`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .markdown import table

__all__ = ["shortfalls", "speed", "speeds", "storm"]

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
BASE = "tutorial"
# The rows of the page that compares speed: what readers know it as, and the contestant.
SPEEDS = {
    "twenty lines from a tutorial, database connections kept": BASE,
    "the same with Django's default, `CONN_MAX_AGE = 0`": "tutorial-reconnecting",
    "channels-auth-token-middlewares": "peer-auth-token",
    "django-channels-jwt-auth-middleware": "peer-jwt",
    "Channels' consumer without authentication": "stock",
    "channels-token-auth around Channels' consumer": "ours-stock",
    "channels-token-auth with its own consumer": "ours",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """One contestant's value in a panel, over that of another one if there is a `base`."""

    text: str
    goal: float
    file: str
    panel: int
    name: str
    base: str | None = None
    at_most: bool = False
    """True if a lower value is better."""

    def reached(self) -> list[float]:
        rounds = _measured(self.file)["panels"][self.panel]["rounds"]
        return _ratios(rounds, self.name, self.base)

    @property
    def is_missed(self) -> bool:
        reached = self.reached()
        if not reached:  # a run without this contestant says nothing
            return False
        value = median(reached)
        return value > self.goal if self.at_most else value < self.goal


AIMS = [
    Aim(
        "around Channels' consumer, granian, cold: 0.92 of it without authentication",
        0.92, "handshakes", 0, "ours-stock", "stock",
    ),
    Aim(
        "around Channels' consumer, granian, warm: 0.95 of it",
        0.95, "handshakes", 0, "ours-stock-warm", "stock",
    ),
    Aim(
        "around Channels' consumer, granian, cold: 3.5 times the tutorial",
        3.5, "handshakes", 0, "ours-stock", BASE,
    ),
    Aim(
        "around a bare application, granian, cold: 0.80 of it",
        0.80, "handshakes", 0, "ours-bare", "bare",
    ),
    Aim(
        "around a bare application, granian, warm: 0.95 of it",
        0.95, "handshakes", 0, "ours-bare-warm", "bare",
    ),
    Aim(
        "our consumer, granian, cold: 0.45 of bare",
        0.45, "handshakes", 0, "ours", "bare",
    ),
    Aim(
        "our consumer, granian, warm: 0.58 of bare",
        0.58, "handshakes", 0, "ours-warm", "bare",
    ),
    Aim(
        "our consumer, granian, cold: 7 times the tutorial",
        7, "handshakes", 0, "ours", BASE,
    ),
    Aim(
        "messages of our consumer, granian: 3 times Channels'",
        3, "echo", 0, "ours", "stock",
    ),
    Aim(
        "messages of our consumer, uvicorn: 3 times Channels'",
        3, "echo", 1, "ours", "stock",
    ),
    Aim(
        "an idle socket of our consumer: 3 KB above bare",
        3, "memory", 1, "ours", at_most=True,
    ),
    Aim(
        "an idle socket of Channels' consumer: 1 KB above it without authentication",
        1, "memory", 1, "ours-stock", at_most=True,
    ),
    Aim(
        "0.63 of the clients a second that bare serves",
        0.63, "storm", 0, "ours", "bare",
    ),
    Aim(
        "99 of 100 served within 5 times what bare needs",
        5, "storm", 1, "ours", "bare", at_most=True,
    ),
    Aim(
        "the others' answers within 5 times their quiet p99",
        5, "storm", 2, "ours", at_most=True,
    ),
    Aim(
        "good users' p99 within twice its quiet value, granian",
        2, "attack", 0, "attacked", "quiet", at_most=True,
    ),
    Aim(
        "good users' p99 within twice its quiet value, uvicorn",
        2, "attack", 3, "attacked", "quiet", at_most=True,
    ),
    Aim(
        "limits, metrics and audit records on: 1.03 of the CPU time of a handshake without them",
        1.03, "everything", 0, "ours-all-on", "ours-all-off", at_most=True,
    ),
    Aim(
        "200 tokens one by one: not slower than a kick, 99 of 100",
        1, "revocation_many", 0, "ours", "kick", at_most=True,
    ),
]  # fmt: skip


def shortfalls() -> str:
    """Return the aims that were missed, each with the median and the range of the rounds."""
    rows = [
        (f"[{aim.file}](results/{aim.file}.md)", aim.text, _range(aim.reached()))
        for aim in AIMS
        if aim.is_missed
    ]
    return table(["results", "aim", "reached"], rows)


def speed() -> str:
    """Return how many times the handshakes of the tutorial's middleware are served."""
    return (
        f"[Speed](docs/explanation/fast-path.md): {_times(0, 'ours-stock')} times the "
        f"handshakes of those twenty lines on granian, {_times(1, 'ours-stock')} on uvicorn; "
        f"with [our consumer](docs/how-to/consumers.md) {_times(0, 'ours')} and "
        f"{_times(1, 'ours')}\n({_measured('handshakes')['facts']['command']}, "
        "[results](benchmarks/results/handshakes.md))."
    )


def speeds() -> str:
    """Return the same of everybody who was measured, as a table."""
    rows = [(title, _times(0, name), _times(1, name)) for title, name in SPEEDS.items()]
    return table(["", "granian", "uvicorn"], rows)


def storm() -> str:
    """Return how the storm ended for this library and for the tutorial's middleware."""
    facts = _measured("storm")["panels"][0]["facts"]
    served = {name: f"{of['served']} {{}}after {of['after']}" for name, of in facts.items()}
    ours = served["ours"].format("of them ")
    tutorial = f", and the twenty lines {served[BASE].format('')}" if BASE in served else ""
    return (
        f"When 5,000 clients reconnect within 1.5 seconds, this library has served {ours}{tutorial}"
        " ([storm](../../benchmarks/results/storm.md))."
    )


def _measured(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())


def _ratios(rounds: list[dict[str, float]], name: str, base: str | None) -> list[float]:
    """Return the ratios within each round, as the page of results shows them."""
    measured = (each for each in rounds if name in each and (base is None or each.get(base)))
    return [each[name] / (each[base] if base else 1) for each in measured]


def _times(panel: int, name: str) -> str:
    rounds = _measured("handshakes")["panels"][panel]["rounds"]
    return _number(median(_ratios(rounds, name, BASE)))


def _range(values: list[float]) -> str:
    low, middle, high = min(values), median(values), max(values)
    return f"{_number(middle)} ({_number(low)} – {_number(high)})"


def _number(value: float) -> str:
    """Return two digits, or all before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
