"""Write results: tables in Markdown, and all numbers in JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .run import Panel, Spread, ratios, spread

__all__ = ["number", "table", "write"]


def write(folder: Path, name: str, about: str, facts: Mapping[str, str], panels: Sequence[Panel]):
    """Write two files named after the benchmark, next to its plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text("\n".join(_page(name, about, facts, panels)) + "\n")
    numbers = {"name": name, "facts": facts, "panels": [asdict(panel) for panel in panels]}
    (folder / f"{name}.json").write_text(json.dumps(numbers, indent=1) + "\n")


def number(value: float) -> str:
    """Return a number with at least two significant digits, most with three."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(panel: Panel) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    columns = sorted({name for each in panel.facts.values() for name in each})
    head = ["", panel.unit, *(f"÷ {base}" for base in panel.bases), *columns]
    yield _row(head)
    yield _row(["---", *("---:" for _ in head[1:])])
    for name in panel.names:
        cells = [_cell(spread(values[name] for values in panel.rounds if name in values))]
        for base in panel.bases:
            found = ratios(panel.rounds, name, base)
            cells.append(_cell(spread(found)) if found and name != base else "")
        cells += [panel.facts.get(name, {}).get(column, "") for column in columns]
        yield _row([name, *cells])


def _page(name: str, about: str, facts: Mapping[str, str], panels: Sequence[Panel]):
    yield f"# {name}\n\n{about}\n"
    yield f"![The same as a plot]({name}.svg)\n"
    yield "A value is the median of the rounds, with the lowest and the highest. A ratio is the"
    yield "median of the ratios within each round."
    for panel in panels:
        yield f"\n## {panel.title}\n"
        yield from table(panel)
        if panel.note:
            yield f"\n{panel.note}"
        if panel.faults:
            yield "\n" + "\n".join(f"- {fault}" for fault in panel.faults)
    yield "\n## Where and how\n"
    yield from (f"- {key}: {value}" for key, value in facts.items())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(of: Spread) -> str:
    if of.low == of.high:
        return number(of.median)
    return f"{number(of.median)} ({number(of.low)} – {number(of.high)})"
